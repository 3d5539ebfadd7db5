import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { machine, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Builder, FuncLinkage, IntEncoding } from '@btfd/btf';
import { FakeDaemon } from '@btfd/client/testing';
import { Btfctl, btfctl, type Ran } from './testing/btfctl.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { schemaErrors } from './testing/json-schema.js';
import { until } from './testing/until.js';

const AGENT = fileURLToPath(new URL('../../cli/src/compat/testdata/agent.bpf.o', import.meta.url));
/** A busy machine is slow. */
const PATIENT = ['--connect-timeout', '60s', '--timeout', '120s'];
const START = 'task_struct.start_boottime|task_struct.real_start_time';

/** Returns BTF of a kernel whose task_struct has these members, each an int, and which has these functions. */
function kernelBtf(members: readonly string[], functions: readonly string[]): Uint8Array {
  const builder = new Builder();
  const typeId = builder.add({
    kind: 'INT',
    name: 'int',
    size: 4,
    encoding: IntEncoding.SIGNED,
    bits: 32,
    bitOffset: 0,
  });
  builder.add({
    kind: 'STRUCT',
    name: 'task_struct',
    size: members.length * 4,
    members: members.map((name, at) => ({ name, typeId, bitOffset: at * 32, bitfieldSize: 0 })),
  });
  const proto = builder.add({ kind: 'FUNC_PROTO', returnTypeId: typeId, params: [] });
  for (const name of functions)
    builder.add({ kind: 'FUNC', name, typeId: proto, linkage: FuncLinkage.STATIC });
  return builder.marshal();
}

const KERNELS = {
  old: kernelBtf(['pid', 'real_start_time'], ['bpf_task_acquire']),
  new: kernelBtf(['pid', 'flags', 'start_boottime'], ['bpf_task_acquire', 'bpf_task_release']),
};
const NODES = { web1: 'old', web2: 'old', web3: 'old', db1: 'new' } as const;

const digestOf = (kernel: keyof typeof KERNELS): string =>
  createHash('sha256').update(KERNELS[kernel]).digest('hex');
const [OLD, NEW] = [digestOf('old').slice(0, 8), digestOf('new').slice(0, 8)];

/** Addresses at which nothing listens. A free port of the system could be that of the next daemon of another test. */
const DEAD = ['127.0.0.1:1', '127.0.0.1:2'];

describe('btfctl fleet with real daemons', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfctl-fleet-'));
  const live = join(dir, 'live.txt');
  const partly = join(dir, 'partly.txt');
  const dead = join(dir, 'dead.txt');
  const daemons: DaemonProcess[] = [];

  beforeAll(async () => {
    for (const [name, btf] of Object.entries(KERNELS)) {
      mkdirSync(join(dir, name));
      writeFileSync(join(dir, name, 'vmlinux'), btf);
    }
    const lines: string[] = [];
    for (const [name, kernel] of Object.entries(NODES)) {
      const args = ['--btf-dir', join(dir, kernel), '--node-name', name];
      const daemon = await DaemonProcess.start({ args });
      daemons.push(daemon);
      // Their names are those that the daemons say.
      lines.push(daemon.address);
    }
    const dying = DEAD.map((address, index) => `gone${index + 1} ${address}`);
    writeFileSync(live, lines.join('\n'));
    writeFileSync(dead, dying.join('\n'));
    writeFileSync(partly, [...lines, ...dying].join('\n'));
  });

  afterAll(async () => {
    for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const fleet = (command: string, args: readonly string[] = [], file = live): Promise<Ran> =>
    btfctl(['fleet', command, '--nodes-file', file, ...PATIENT, ...args]);

  /** Returns the rows of a table as words. */
  const words = (text: string): string[][] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/));

  test('kernels lists the builds by the digest of their BTF, with their nodes', async () => {
    const { stdout, stderr, status } = await fleet('kernels', ['-o', 'wide', '--nodes']);
    expect([status, stderr]).toEqual([0, '']);
    const [table = '', ...lists] = stdout.split('\n\n');
    expect(words(table)).toEqual([
      ['BUILD', 'KERNEL', 'ARCH', 'NODES', 'MODULES', 'NAMES'],
      [OLD, release(), machine(), '3', '0', 'web[1-3]'],
      [NEW, release(), machine(), '1', '0', 'db1'],
    ]);
    expect(lists).toEqual([`${OLD} (3)\n  web[1-3]`, `${NEW} (1)\n  db1\n`]);
  });

  test('member prints where the first alternative that exists is in each build', async () => {
    const { stdout, status } = await fleet('member', [START, 'task_struct.pid']);
    expect(status).toBe(0);
    expect(words(stdout).map((row) => row.toSpliced(1, 3))).toEqual([
      ['BUILD', 'PATH', 'OFFSET', 'BITS', 'TYPE'],
      [OLD, 'task_struct.real_start_time', '4', '32', 'int'],
      [OLD, 'task_struct.pid', '0', '32', 'int'],
      [NEW, 'task_struct.start_boottime', '8', '32', 'int'],
      [NEW, 'task_struct.pid', '0', '32', 'int'],
    ]);
  });

  test('member exits with 3 if a path leads nowhere in a build, and names the build', async () => {
    const { stdout, stderr, status } = await fleet('member', ['task_struct.flags', '-o', 'name']);
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toBe(`btfctl: ${OLD}: task_struct.flags: struct task_struct has no such member\n`);
    expect(await fleet('member', ['task_struct..x'])).toMatchObject({ status: 2, stdout: '' });
  });

  test('find shows which builds have a type', async () => {
    const { stdout, status } = await fleet('find', ['bpf_task_*', '--kind', 'func']);
    expect(status).toBe(0);
    const [builds = '', types = ''] = stdout.split('\n\n');
    expect(words(builds).map((row) => [row[0], row.at(-1)])).toEqual([
      ['BUILD', 'TYPES'],
      [OLD, '1'],
      [NEW, '2'],
    ]);
    expect(words(types)).toEqual([
      ['KIND', 'NAME', 'BUILDS'],
      ['func', 'bpf_task_acquire', 'all'],
      ['func', 'bpf_task_release', NEW],
    ]);
    const none = await fleet('find', ['bpf_task_*', '--kind', 'struct', '-o', 'name']);
    expect(none).toEqual({
      status: 3,
      stdout: '',
      stderr: 'btfctl: no build has a struct named bpf_task_*\n',
    });
  });

  test('compat judges each build, and exits with 8 if an object does not fit one', async () => {
    const { stdout, status } = await fleet('compat', [AGENT]);
    expect(status).toBe(8);
    const [builds = '', findings = ''] = stdout.split('\n\n');
    expect(words(builds).map((row) => [row[0], row[4]])).toEqual([
      ['BUILD', 'VERDICT'],
      [OLD, 'fails'],
      [NEW, 'fails'],
    ]);
    // The words are those of the command for one daemon.
    const single = await btfctl(['compat', AGENT, '--address', daemons[0]?.address ?? '']);
    const reason = "      the kernel's BTF has no typedef btf_trace_task_newtask\n";
    expect([single.status, single.stdout, findings]).toEqual([
      8,
      expect.stringContaining(reason),
      expect.stringContaining(
        `${reason}      in moved; asks; by_setting; by_version\n      on every kernel\n`,
      ),
    ]);
  });

  test('diff compares each build with one kernel, and exits with 5 if types differ', async () => {
    const { stdout, status } = await fleet('diff', ['--from', '@web1', '--type', 'task_struct']);
    expect(status).toBe(5);
    const [builds = '', difference] = stdout.split('\n\n');
    expect(words(builds).map((row) => row.toSpliced(1, 3))).toEqual([
      ['BUILD', 'REMOVED', 'ADDED', 'CHANGED', 'SAME'],
      [OLD, '0', '0', '0', '1'],
      [NEW, '0', '0', '1', '0'],
    ]);
    // As the command for two files.
    const single = await btfctl(['diff', ...['old', 'new'].map((name) => join(dir, name, 'vmlinux'))]);
    const [change = ''] = /^~ struct task_struct(?:.*\n {4})*.*\n/m.exec(single.stdout) ?? [];
    expect(change).toContain('- real_start_time');
    expect(difference).toContain(`--- @web1\n+++ ${NEW}\n${change}`);
    for (const from of [OLD, join(dir, 'old', 'vmlinux')]) {
      const ran = await fleet('diff', ['--from', from, '-o', 'json'], partly);
      expect([ran.status, schemaErrors('fleet-diff', ran.stdout)]).toEqual([5, []]);
    }
    const missing = await fleet('diff', ['--from', '@web9']);
    expect(missing).toMatchObject({ status: 3, stdout: '' });
    expect(await fleet('diff', ['--from', 'vmlinux'])).toMatchObject({ status: 2, stdout: '' });
  });

  test('--contexts takes contexts of the config file as nodes', async () => {
    const config = join(dir, 'config.yaml');
    const context = (name: string, index: number): string =>
      `  ${name}:\n    address: ${daemons[index]?.address}\n`;
    writeFileSync(config, `contexts:\n${context('east1', 0)}${context('east2', 1)}${context('west1', 3)}`);
    const run = (glob: string, path = config): Promise<Ran> =>
      btfctl(['fleet', 'kernels', '--contexts', glob, '--config', path, '-o', 'wide', ...PATIENT]);
    const { stdout, status } = await run('east*');
    expect(status).toBe(0);
    expect(words(stdout).map((row) => [row[0], row.at(-1)])).toEqual([
      ['BUILD', 'NAMES'],
      [OLD, 'east[1-2]'],
    ]);
    expect(await run('north*')).toMatchObject({ status: 3, stdout: '' });
    writeFileSync(config, 'contexts: 1');
    const bad = await run('*');
    expect(bad.status).toBe(2);
    expect(bad.stderr).toContain(`btfctl: ${config}: contexts must be a mapping\n`);
  });

  test('the fleet of the config file is asked if no option names nodes', async () => {
    const config = join(dir, 'fleet.yaml');
    writeFileSync(join(dir, 'configured.txt'), `own ${daemons[3]?.address}\n`);
    writeFileSync(config, 'fleet: { nodes-file: configured.txt }');
    const run = (...more: readonly string[]): Promise<Ran> =>
      btfctl(['fleet', 'kernels', '--config', config, '-o', 'wide', ...more, ...PATIENT]);
    expect(words((await run()).stdout).at(-1)).toEqual(expect.arrayContaining([NEW, 'own']));
    writeFileSync(join(dir, 'named.txt'), `named ${daemons[0]?.address}\n`);
    expect(words((await run('--nodes-file', join(dir, 'named.txt'))).stdout).at(-1)).toEqual(
      expect.arrayContaining([OLD, 'named']),
    );
    writeFileSync(config, 'fleet: { nodes-file: configured.txt, tls: { ca: none.pem } }');
    const missing = `ENOENT: no such file or directory, stat '${join(dir, 'none.pem')}'`;
    expect(await run()).toEqual({
      status: 2,
      stdout: '',
      stderr: `btfctl: fleet in the config file: authorities (ca): ${missing}\n`,
    });
    writeFileSync(config, 'fleet: { nodes-file: configured.txt, dns: a.example:1 }');
    expect((await run()).stderr).toContain('--dns and --nodes-file both name nodes: use only one of them\n');
    writeFileSync(config, '');
    expect((await run()).stderr).toContain('or with fleet in the config file\n');
  });

  test('a node without a name has that of its daemon, also if its address is the name of another node', async () => {
    const [first, second] = daemons;
    if (first === undefined || second === undefined) throw new Error('no daemons');
    const file = join(dir, 'misnamed.txt');
    writeFileSync(file, `${first.address} ${second.address}\n${first.address}\n`);
    const { stdout, status } = await fleet('kernels', ['-o', 'json'], file);
    const { nodes }: { nodes: { name: string }[] } = JSON.parse(stdout);
    expect([status, nodes.map(({ name }) => name).toSorted()]).toEqual([
      0,
      [first.address, 'web1'].toSorted(),
    ]);
  });

  test('watch shows the nodes and builds, and those that go, until SIGINT', async () => {
    const own = await DaemonProcess.start({ args: ['--btf-dir', join(dir, 'new'), '--node-name', 'own'] });
    const file = join(dir, 'watched.txt');
    writeFileSync(file, [daemons[0]?.address, own.address].join('\n'));
    await using watch = new Btfctl([
      'fleet',
      'watch',
      '--nodes-file',
      file,
      ...PATIENT,
      '--interval',
      '500ms',
      '-o',
      'json',
    ]);
    const events = (): { event: string; node?: string; outcome?: string }[] =>
      watch.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    await until('all nodes were reported', () => events().some(({ event }) => event === 'synced'));
    expect(
      events()
        .filter(({ event }) => event === 'node-appeared')
        .map(({ node }) => String(node))
        .toSorted(),
    ).toEqual(['own', 'web1']);
    await own[Symbol.asyncDispose]();
    await until('the node is gone', () =>
      events().some(({ event, outcome }) => event === 'node-changed' && outcome === 'unreachable'),
    );
    watch.kill('SIGINT');
    const { status, stdout } = await watch.end();
    expect(status).toBe(0);
    for (const line of stdout.trimEnd().split('\n'))
      expect([line, schemaErrors('fleet-watch-event', line)]).toEqual([line, []]);
  });

  test('watch -o name prints each node once, and its table why a node is not reached', async () => {
    const wait = async (format: string, text: RegExp): Promise<string> => {
      const args = ['fleet', 'watch', '--nodes-file', partly, ...PATIENT, '-o', format];
      await using watch = new Btfctl(args);
      await until('all nodes were reported', () => (watch.stdout.match(text) ?? []).length === 6);
      watch.kill('SIGINT');
      return (await watch.end()).stdout;
    };
    const names = [...Object.keys(NODES), 'gone1', 'gone2'];
    expect((await wait('name', /^\w+$/gm)).trim().split('\n').toSorted()).toEqual(names.toSorted());
    expect(await wait('table', /^appeared/gm)).toMatch(
      /^appeared +- +gone1 +unreachable: connection refused \(ECONNREFUSED\)$/m,
    );
  });

  const commands: readonly (readonly [string, readonly string[], number])[] = [
    ['kernels', [], 0],
    ['compat', [AGENT, AGENT.replace('agent', 'agent-eb')], 8],
    ['member', [START, 'task_struct.none'], 3],
    ['find', ['*task*'], 0],
  ];

  test.each(commands)(
    'the JSON of %s follows its schema, also without some nodes',
    async (name, args, own) => {
      for (const [file, status] of [
        [live, own],
        [partly, own === 0 ? 9 : own],
        [dead, 6],
      ] as const) {
        const ran = await fleet(name, [...args, '-o', 'json'], file);
        expect([file, ran.status, schemaErrors(`fleet-${name}`, ran.stdout)]).toEqual([file, status, []]);
        const data = JSON.parse(ran.stdout);
        expect(data.complete).toBe(file === live);
        const missing = data.nodes.filter((node: { error?: string }) => node.error !== undefined);
        expect(missing.map((node: { name: string }) => node.name).toSorted()).toEqual(
          file === live ? [] : ['gone1', 'gone2'],
        );
      }
    },
  );

  test.each(commands)('%s is printed as YAML and as Markdown', async (name, args, own) => {
    const yaml = await fleet(name, [...args, '-o', 'yaml']);
    expect([yaml.status, yaml.stdout.slice(0, 15)]).toEqual([own, 'complete: true\n']);
    const markdown = await fleet(name, [...args, '-o', 'markdown'], partly);
    const [heading = '', line, ...rows] = markdown.stdout.split('\n\n')[0]?.split('\n') ?? [];
    const cells = heading.split('|').length;
    expect(line).toBe(`|${' --- |'.repeat(cells - 2)}`);
    expect(rows.filter((row) => row !== '').map((row) => row.split('|').length)).toEqual(
      rows.filter((row) => row !== '').map(() => cells),
    );
    expect(markdown.stdout).toContain('| `-` | `(no answer)` |  | `2` |');
  });

  test('nodes without an answer are counted, equal failures once, and the exit code is 9', async () => {
    const { stdout, stderr, status } = await fleet('kernels', [], partly);
    expect(status).toBe(9);
    expect(words(stdout).at(-1)?.slice(0, 2)).toEqual(['-', '(no answer)']);
    expect(stderr).toBe(
      'btfctl: 2 of 6 nodes gave no answer: 2 unreachable\n' +
        '  2 unreachable: connection refused (ECONNREFUSED): gone[1-2]\n',
    );
  });

  test('--fail-fast ends at the first node without an answer', async () => {
    const { stdout, stderr, status } = await fleet('kernels', ['--fail-fast'], dead);
    expect([status, stdout]).toEqual([6, '']);
    expect(stderr).toMatch(
      /^btfctl: gone[12]: cannot connect to 127\.0\.0\.1:\d+: connection refused \(ECONNREFUSED\)\n$/,
    );
  });

  test('at the deadline the answer is what is known by then', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
    await once(server.listen(join(dir, 'silent.sock')), 'listening');
    const file = join(dir, 'silent.txt');
    writeFileSync(file, `silent unix:${join(dir, 'silent.sock')}`);
    const { stderr, status } = await fleet('kernels', ['--deadline', '500ms'], file);
    for (const socket of sockets) socket.destroy();
    server.close();
    expect([status, stderr]).toEqual([
      6,
      'btfctl: 1 of 1 node gave no answer: 1 late\n' +
        '  1 late: the deadline of the whole passed before the node had answered: silent\n',
    ]);
  });
});

test('A hostile daemon cannot write to the terminal, nor fill it', async () => {
  const bad = '\u001B[2J\u001B]0;pwned\u0007\u202E';
  const start = async (length: number): Promise<FakeDaemon> =>
    FakeDaemon.start({
      nodeName: bad,
      kernelRelease: `${bad}${'r'.repeat(length)}`,
      objects: [{ name: 'vmlinux', btf: KERNELS.old }],
    });
  // The longest release of a kernel has 64 characters, so one of these gives no answer.
  const daemons = [await start(40), await start(10_000)];
  const dir = mkdtempSync(join(tmpdir(), 'btfctl-fleet-'));
  const file = join(dir, 'nodes.txt');
  writeFileSync(file, daemons.map(({ address }) => `${address}\n`).join(''));
  for (const format of ['table', 'wide', 'json', 'yaml', 'name', 'markdown']) {
    const args = ['fleet', 'kernels', '--nodes-file', file, '--nodes', '-o', format, ...PATIENT];
    const { stdout, stderr, status } = await btfctl(args);
    expect(status).toBe(9);
    expect(`${stdout}${stderr}`).not.toMatch(/(?!\n)\p{Cc}|\p{Bidi_Control}/u);
    if (format === 'table' || format === 'wide') expect(stdout.length).toBeLessThan(1_000);
  }
  await Promise.all(daemons.map(async (daemon) => daemon.stop()));
  rmSync(dir, { recursive: true });
});
