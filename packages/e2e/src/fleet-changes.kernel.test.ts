import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { checkObject, diffSpecs, parseBpfObject, Spec } from '@btfd/btf';
import { BtfFleet, type FleetChange, type FleetNode, staticNodes } from '@btfd/fleet';
import { DaemonProcess } from './testing/daemon-process.js';
import { DEBIAN_KERNEL } from './testing/debian-kernel.js';

const LIVE = '/sys/kernel/btf';
const CORPUS = fileURLToPath(new URL('../../../.cache/corpus', import.meta.url));
const AGENT = fileURLToPath(new URL('../../../examples/bpf/agent.bpf.o', import.meta.url));
/** A busy machine reads the BTF of thousands of modules slowly. */
const OPTIONS = { connectTimeout: 60_000, timeout: 240_000 };

function specOf(folder: string): Spec {
  return Spec.parse(readFileSync(join(folder, 'vmlinux')));
}

async function start(name: string, folder: string, socket?: string): Promise<DaemonProcess> {
  return DaemonProcess.start({
    args: ['--btf-dir', folder, '--node-name', name],
    ...(socket === undefined ? {} : { socket }),
  });
}

needs('debian-kernels', 'vmlinux').describe('Real daemons on several kernels', () => {
  /** Those of the long tests too, if they were fetched. */
  const others = existsSync(CORPUS) ? readdirSync(CORPUS).map((release) => join(CORPUS, release)) : [];
  const folders = new Map([
    ['debian', DEBIAN_KERNEL],
    ['live', LIVE],
    ...others.map((folder, index): [string, string] => [`other${index}`, folder]),
  ]);
  const daemons: DaemonProcess[] = [];
  const nodes: FleetNode[] = [];

  beforeAll(async () => {
    for (const [name, folder] of folders) {
      const daemon = await start(name, folder);
      daemons.push(daemon);
      nodes.push({ name, address: daemon.address });
    }
  });

  afterAll(async () => {
    for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
  });

  test('differ as their files do', async () => {
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const types = ['task_struct', 'mm_struct', 'bpf_prog*'];
    const answer = await fleet.diff({ from: '@live', types });
    expect(answer.complete).toBe(true);
    const named = (name: string): boolean =>
      name === 'task_struct' || name === 'mm_struct' || name.startsWith('bpf_prog');
    const live = specOf(LIVE);
    for (const { nodes: names, value } of answer.builds) {
      expect(value).toEqual(diffSpecs(live, specOf(folders.get(names[0] ?? '') ?? ''), { named }));
      expect(value?.same).toBeGreaterThan(0);
    }
    // Another kernel has another task_struct.
    const changed = answer.builds.filter(({ value }) =>
      value?.changed.some(({ name }) => name === 'task_struct'),
    );
    expect(changed.flatMap(({ nodes: names }) => names)).toContain('debian');
  });

  test('judge an object as the library does', async () => {
    await using fleet = new BtfFleet(staticNodes(nodes), OPTIONS);
    const bytes = readFileSync(AGENT);
    const answer = await fleet.checkObject(bytes);
    expect(answer.complete).toBe(true);
    const object = parseBpfObject(bytes);
    for (const { nodes: names, value } of answer.builds) {
      const expected = checkObject(object, { kernel: specOf(folders.get(names[0] ?? '') ?? '') });
      expect(value?.verdict).toBe(expected.verdict);
      expect(value?.programs.map(({ name, verdict }) => [name, verdict])).toEqual(
        expected.programs.map(({ name, verdict }) => [name, verdict]),
      );
    }
  });
});

needs('debian-kernels', 'vmlinux').test(
  'A watch sees daemons that die, stop and boot another kernel',
  async () => {
    await using first = await start('a', DEBIAN_KERNEL);
    await using stopped = await start('b', DEBIAN_KERNEL);
    const nodes = [
      { name: 'a', address: first.address },
      { name: 'b', address: stopped.address },
    ];
    await using fleet = new BtfFleet(staticNodes(nodes), { ...OPTIONS, connectTimeout: 3_000 });
    const changes = fleet.watch({ interval: 200 });
    /** Waits for a change. On a busy machine others may come before. */
    const until = async (isIt: (change: FleetChange) => boolean): Promise<FleetChange> => {
      for (;;) {
        const { value } = await changes.next();
        if (value !== undefined && isIt(value)) return value;
      }
    };
    const becomes = async (name: string, ...kinds: readonly string[]): Promise<FleetChange> =>
      until(
        (each) => each.kind === 'node-changed' && each.name === name && kinds.includes(each.outcome.kind),
      );
    expect(await until(({ kind }) => kind === 'synced')).toMatchObject({ nodes: 2, builds: 1 });
    await first.end('SIGKILL');
    expect(await becomes('a', 'unreachable')).toMatchObject({
      build: { release: expect.any(String) },
      before: { outcome: { kind: 'answered' } },
    });
    await using again = await start('a', LIVE, first.socket);
    const other = await until(({ kind }) => kind === 'build-appeared');
    expect(other).toMatchObject({ name: 'a' });
    stopped.signal('SIGSTOP');
    await becomes('b', 'unreachable');
    stopped.signal('SIGCONT');
    await becomes('b', 'answered');
    await again.end('SIGKILL');
    await becomes('a', 'unreachable');
    await changes.return();
  },
);
