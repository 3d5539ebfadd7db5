import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { resolveMember, Spec } from '@btfd/btf';
import { BtfFleet, type FleetNode, staticNodes } from '@btfd/fleet';
import { DaemonProcess } from './testing/daemon-process.js';
import { DEBIAN_KERNEL } from './testing/debian-kernel.js';
import { until } from './testing/until.js';

const CORPUS = fileURLToPath(new URL('../../../.cache/corpus', import.meta.url));
const FLEET = new URL('../../fleet/dist/index.js', import.meta.url).href;
const PATHS = ['task_struct.mm.pgd', 'task_struct.start_boottime|task_struct.real_start_time'];
/** A busy machine reads the BTF of thousands of modules slowly. */
const OPTIONS = { connectTimeout: 60_000, timeout: 240_000 };

function digestOf(folder: string): string {
  return createHash('sha256')
    .update(readFileSync(join(folder, 'vmlinux')))
    .digest('hex');
}

needs('debian-kernels').describe('Real daemons on the BTF of several kernels', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-fleet-'));
  /** A node on the same kernel as another one, with one module less. */
  const fewer = join(dir, 'fewer');
  /** The kernels of the long tests, if they were fetched. */
  const others = existsSync(CORPUS) ? readdirSync(CORPUS).map((release) => join(CORPUS, release)) : [];
  const folders = new Map([
    ['debian1', DEBIAN_KERNEL],
    ['debian2', DEBIAN_KERNEL],
    ['fewer', fewer],
    ['live', '/sys/kernel/btf'],
    ...others.map((folder, index): [string, string] => [`other${index}`, folder]),
  ]);
  const daemons: DaemonProcess[] = [];
  const nodes: FleetNode[] = [];

  beforeAll(async () => {
    mkdirSync(fewer);
    const [, ...kept] = readdirSync(DEBIAN_KERNEL).filter((name) => name !== 'vmlinux');
    for (const name of ['vmlinux', ...kept]) symlinkSync(join(DEBIAN_KERNEL, name), join(fewer, name));
    for (const [name, folder] of folders) {
      const daemon = await DaemonProcess.start({ args: ['--btf-dir', folder, '--node-name', name] });
      daemons.push(daemon);
      // Their names are those that the daemons say.
      nodes.push({ address: daemon.address });
    }
  });

  afterAll(async () => {
    for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  test('are grouped by the digest of vmlinux, which is that of the file', async () => {
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const { builds, complete } = await fleet.inventory();
    expect(complete).toBe(true);
    const expected = new Map<string, string[]>();
    for (const [name, folder] of folders) {
      const digest = digestOf(folder);
      expected.set(digest, [...(expected.get(digest) ?? []), name].toSorted());
    }
    expect(new Map(builds.map(({ build, nodes: names }) => [build.digest, names]))).toEqual(expected);
    const debian = builds.find(({ nodes: names }) => names.includes('debian1'));
    expect(debian?.nodes).toEqual(expect.arrayContaining(['debian1', 'debian2', 'fewer']));
    expect(debian?.build).toMatchObject({ modulesDigest: null, moduleCount: null });
  });

  test('resolve members as the library does with the files', async () => {
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const { builds, complete } = await fleet.resolveMembers(PATHS);
    expect([builds.length, complete]).toEqual([new Set([...folders.values()].map(digestOf)).size, true]);
    for (const { nodes: names, value } of builds) {
      const spec = Spec.parse(readFileSync(join(folders.get(names[0] ?? '') ?? '', 'vmlinux')));
      for (const { used, result } of value ?? []) {
        expect(result.member?.bitOffset).toBe(resolveMember(spec, used ?? '').bitOffset);
      }
      // Linux 5.5 renamed it.
      expect(value?.map(({ used }) => used)).toEqual(['task_struct.mm.pgd', 'task_struct.start_boottime']);
    }
  });

  test('find types of a module on the nodes that have it, and one transfer serves equal modules', async () => {
    await using fleet = new BtfFleet(staticNodes(nodes.slice(0, 3)), OPTIONS);
    const [missing = '', module = ''] = readdirSync(DEBIAN_KERNEL).filter((name) => name !== 'vmlinux');
    const found = await fleet.findTypes('*', { object: module, kinds: ['STRUCT'] });
    expect(found.builds.map(({ nodes: names }) => names)).toEqual([['debian1', 'debian2', 'fewer']]);
    expect(found.builds[0]?.value?.length).toBeGreaterThan(0);
    const partly = await fleet.findTypes('*', { object: missing, kinds: ['STRUCT'] });
    expect(partly.builds.map(({ nodes: names, error }) => [names, error?.reason])).toEqual([
      [['debian1', 'debian2'], undefined],
      [['fewer'], 'NAME_NOT_FOUND'],
    ]);
  });
});

/** Asks a fleet in a process of its own, which must end on its own and without a rejection that nobody handles. */
class Asker implements AsyncDisposable {
  readonly #child;
  #output = '';
  #errors = '';

  constructor(nodes: readonly FleetNode[], work: string) {
    const program = `
      import { once } from 'node:events';
      import { BtfFleet, staticNodes } from ${JSON.stringify(FLEET)};
      const nodes = ${JSON.stringify(nodes)};
      const sockets = () => process.getActiveResourcesInfo().filter((kind) => /^(TCP|Pipe)/.test(kind)).length;
      const say = (...words) => console.log(...words);
      const told = async () => void (await once(process.stdin, 'data'));
      const kinds = (map) => JSON.stringify([...map].map(([name, { kind }]) => [name, kind]).toSorted());
      // Makes the streams of the process, which are sockets too.
      say('begin');
      process.stdin.pause();
      const before = sockets();
      process.stdin.resume();
      ${work}
      process.stdin.pause();
      say('end', sockets() - before);`;
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
  }

  /** Returns what follows a word in the output. */
  async said(word: string): Promise<string> {
    const pattern = new RegExp(`^${word}(.*)\\n`, 'm');
    await until(`it says ${word}: ${this.#errors}`, () => {
      if (this.#child.exitCode !== null && !pattern.test(this.#output)) throw new Error(this.#errors);
      return pattern.test(this.#output);
    });
    return pattern.exec(this.#output)?.[1]?.trim() ?? '';
  }

  /** Waits for a number of rounds from now on. Of two, one begins after now. */
  async rounds(count: number): Promise<void> {
    const done = [...this.#output.matchAll(/^round\d+\n/gm)].length;
    await this.said(`round${done + count - 1}`);
  }

  tell(): void {
    this.#child.stdin.write('on\n');
  }

  /** Returns the exit code and the errors. */
  async ended(): Promise<{ code: number | null; errors: string }> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return { code: this.#child.exitCode, errors: this.#errors };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended();
  }
}

needs('debian-kernels').describe('Daemons that die, stop and restart', () => {
  const start = async (name: string, socket?: string): Promise<DaemonProcess> =>
    DaemonProcess.start({
      args: ['--btf-dir', DEBIAN_KERNEL, '--node-name', name],
      ...(socket === undefined ? {} : { socket }),
    });

  test('after a survey: the next node of the build is asked, and each node has an outcome', async () => {
    await using dead = await start('dead');
    await using stopped = await start('stopped');
    await using well = await start('well');
    const nodes = [dead, stopped, well].map(({ address }) => ({ address }));
    await using asker = new Asker(
      nodes,
      `const fleet = new BtfFleet(staticNodes(nodes), { connectTimeout: 2_000, concurrency: 1 });
       say('surveyed', kinds((await fleet.inventory()).nodes));
       await told();
       const { nodes: outcomes, builds, complete } = await fleet.resolveMembers(${JSON.stringify(PATHS)});
       say('asked', kinds(outcomes), builds.length, builds[0].value.length, complete);
       await fleet.close();`,
    );
    const answered = (names: readonly string[]): string =>
      JSON.stringify(names.map((name) => [name, 'answered']));
    expect(await asker.said('surveyed')).toBe(answered(['dead', 'stopped', 'well']));
    await dead.end('SIGKILL');
    stopped.signal('SIGSTOP');
    asker.tell();
    const expected = [
      ['dead', 'unreachable'],
      ['stopped', 'unreachable'],
      ['well', 'answered'],
    ];
    expect(await asker.said('asked')).toBe(`${JSON.stringify(expected)} 1 2 false`);
    expect(await asker.ended()).toEqual({ code: 0, errors: '' });
    expect(await asker.said('end')).toBe('0');
  });

  test('during surveys: each node has one outcome each time, and nothing stays open', async () => {
    await using first = await start('a');
    await using stopped = await start('b');
    await using well = await start('c');
    const nodes = [
      { name: 'a', address: first.address },
      { name: 'b', address: stopped.address },
      { name: 'c', address: well.address },
    ];
    await using asker = new Asker(
      nodes,
      `let isOver = false;
       told().then(() => (isOver = true));
       const fleet = new BtfFleet(staticNodes(nodes), { connectTimeout: 700 });
       const seen = new Set();
       for (let round = 0; !isOver; round++) {
         const { nodes: outcomes } = await fleet.inventory();
         const answer = await fleet.resolveMembers(${JSON.stringify(PATHS)}, { deadline: 2_000 });
         for (const map of [outcomes, answer.nodes]) {
           if ([...map.keys()].toSorted().join() !== 'a,b,c') throw new Error(kinds(map));
           for (const [name, { kind }] of map) seen.add(name + ':' + kind);
         }
         say('round' + round);
       }
       say('seen', [...seen].toSorted().join());
       await fleet.close();`,
    );
    await asker.rounds(1);
    await first.end('SIGKILL');
    for (let count = 0; count < 2; count++) {
      stopped.signal('SIGSTOP');
      await asker.rounds(2);
      stopped.signal('SIGCONT');
      await using again = await start('a', first.socket);
      await asker.rounds(2);
      await again.end('SIGKILL');
    }
    asker.tell();
    const seen = (await asker.said('seen')).split(',');
    expect(seen).toEqual(
      expect.arrayContaining(['a:answered', 'a:unreachable', 'b:answered', 'b:unreachable', 'c:answered']),
    );
    expect(await asker.ended()).toEqual({ code: 0, errors: '' });
    expect(await asker.said('end')).toBe('0');
  });
});
