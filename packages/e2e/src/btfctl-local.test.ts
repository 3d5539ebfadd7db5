import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Builder, IntEncoding } from '@btfd/btf';
import { needs } from 'test-tools';
import { btfctl, type Ran } from './testing/btfctl.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { loadedBy } from './testing/loaded-packages.js';

const NOTE =
  'btfctl: note: there is no daemon at unix:/run/btfd/btfd.sock: reading /sys/kernel/btf of this machine\n';
const AGENT = fileURLToPath(new URL('../../cli/src/compat/testdata/agent.bpf.o', import.meta.url));

needs('root', 'unshare').describe('btfctl without a daemon', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfctl-local-'));
  const kernel = join(dir, 'btf');
  const run = join(dir, 'run');
  /** A machine without a daemon, whose kernel has the BTF in a folder. */
  const MACHINE = [
    'unshare',
    '--mount',
    'sh',
    '-c',
    'mount --bind "$0" /sys/kernel/btf && mount --bind "$1" /run && shift && exec "$@"',
    kernel,
    run,
  ];
  let daemon: DaemonProcess;

  const here = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
    btfctl(args, env, MACHINE);

  beforeAll(async () => {
    mkdirSync(kernel);
    mkdirSync(run);
    const base = kernelBtf();
    writeFileSync(join(kernel, 'vmlinux'), base.toSpec().bytes);
    for (const name of ['zeta', 'alpha_mod']) writeFileSync(join(kernel, name), moduleBtf(base, name));
    writeFileSync(join(kernel, 'broken'), 'not BTF at all');
    daemon = await DaemonProcess.start({ args: ['--btf-dir', kernel] });
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  test.each([
    'list',
    'list --digest -o json',
    'list --origin module -o name',
    'list alpha_* zeta',
    'layout item',
    'layout alpha_mod_item --in alpha_mod',
    'member item.second item.none',
    'find item *_item -o json',
    'dump vmlinux',
    'dump zeta alpha_mod format c',
    'header alpha_mod',
    'diff vmlinux alpha_mod --closure',
    'dump zeta --base vmlinux',
  ])('`%s` prints what a daemon with the same files has it print, and says where it reads', async (line) => {
    const args = line.split(' ');
    const local = await here(args);
    const asked = await btfctl(args, { BTFD_ADDRESS: daemon.address });
    expect(local.stdout).toBe(asked.stdout);
    expect(local.stdout).not.toBe('');
    expect(local.status).toBe(asked.status);
    expect(local.stderr.startsWith(NOTE)).toBe(true);
    expect(local.stderr.match(/reading/g)).toHaveLength(1);
  });

  test('find reports an object that cannot be read, and searches the others', async () => {
    const { stdout, stderr } = await here(['find', 'zeta_item', '-o', 'name']);
    expect(stdout).toBe('zeta_item\n');
    expect(stderr).toContain('skipped broken: ');
  });

  test('compat judges for the running kernel and its version', async () => {
    const { stdout, stderr, status } = await here(['compat', AGENT, '-o', 'json']);
    expect(status).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({ results: [{ kernel: 'vmlinux' }] });
    expect(stderr).not.toContain('--kernel-version');
  });

  test.each([
    ['an id', ['dump', 'id:7'], 6, 'id:7 needs a daemon: the files of the kernel have names, but no ids'],
    [
      'an id to list',
      ['list', '7'],
      6,
      'id:7 needs a daemon: the files of the kernel have names, but no ids',
    ],
    [
      'an id to list with a name',
      ['list', '5', 'vmlinux'],
      6,
      'id:5 needs a daemon: the files of the kernel have names, but no ids',
    ],
    ['the id 0, which no object has', ['list', '0'], 2, '"0" is not a BTF id'],
    ['a program', ['dump', 'prog', '7'], 6, 'prog id 7 needs a daemon: the files of the kernel do not show'],
    ['a missing name', ['dump', 'nosuch'], 3, 'the kernel has no BTF object named "nosuch"'],
    ['a folder', ['dump', '..'], 3, 'the kernel has no BTF object named ".."'],
    ['a module with a dash', ['dump', 'alpha-mod'], 3, 'names of modules have "_" in place of "-"'],
  ])('reports %s', async (_, args, code, message) => {
    const { stdout, stderr, status } = await here(args);
    expect(stderr).toContain(message);
    expect({ stdout, status }).toEqual({ stdout: '', status: code });
  });

  test.each([
    ['is named', ['list', '--address', 'unix:/nonexistent.sock'], {}],
    ['is named by the environment', ['list'], { BTFD_ADDRESS: 'unix:/nonexistent.sock' }],
    ['loads BTF', ['check', AGENT], {}],
    ['describes itself', ['info'], {}],
  ])('asks a daemon that %s', async (_, args, env) => {
    const { stderr, status } = await here(args, env);
    expect(stderr).toMatch(/^btfctl: cannot reach the daemon at /);
    expect(status).toBe(6);
  });

  test('asks the default daemon if it has a socket, even one that nobody serves', async () => {
    const socket = join(run, 'btfd', 'btfd.sock');
    mkdirSync(join(run, 'btfd'));
    try {
      await using _ = await DaemonProcess.start({ socket, args: ['--btf-dir', kernel] });
      expect(await here(['list', 'zeta', '-o', 'name'])).toMatchObject({ stdout: 'zeta\n', stderr: '' });
    } finally {
      rmSync(join(run, 'btfd'), { recursive: true });
    }
    mkdirSync(join(run, 'btfd'));
    writeFileSync(socket, '');
    expect((await here(['list'])).stderr).toContain('cannot reach the daemon at unix:/run/btfd/btfd.sock');
    rmSync(join(run, 'btfd'), { recursive: true });
  });

  test('loads no gRPC', async () => {
    const { packages } = await loadedBy(async (env) => here(['layout', 'item'], env));
    expect([...packages].toSorted()).toEqual([
      '@btfd/btf',
      '@btfd/cli',
      '@btfd/client',
      'commander',
      'picocolors',
    ]);
  });
});

/** `int`, and `struct item` with two of them. */
function kernelBtf(): Builder {
  const builder = new Builder();
  addItem(builder, 'item');
  return builder;
}

function moduleBtf(base: Builder, name: string): Uint8Array {
  const builder = new Builder({ base: base.toSpec() });
  addItem(builder, `${name}_item`);
  return builder.marshal();
}

function addItem(builder: Builder, name: string): void {
  const typeId = builder.add({
    kind: 'INT',
    name: 'int',
    size: 4,
    encoding: IntEncoding.SIGNED,
    bits: 32,
    bitOffset: 0,
  });
  const members = ['first', 'second'].map((own, at) => ({
    name: own,
    typeId,
    bitOffset: at * 32,
    bitfieldSize: 0,
  }));
  builder.add({ kind: 'STRUCT', name, size: 8, members });
}
