import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BtfClient } from '@btfd/client';
import { bpftoolC, compareC, needs } from 'test-tools';
import { btfctl, BTFCTL } from './testing/btfctl.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { DEBIAN_KERNEL } from './testing/debian-kernel.js';
import { schemaErrors } from './testing/json-schema.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';

needs('bpf').describe('btfctl dump', () => {
  let daemon: DaemonProcess;
  let dir: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    env = { BTFD_ADDRESS: daemon.address };
    dir = mkdtempSync(join(tmpdir(), 'btfctl-'));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true });
    await daemon[Symbol.asyncDispose]();
  });

  const dump = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, status } = await btfctl(['dump', ...args], env);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    return stdout;
  };

  const bpftool = (...args: string[]): string =>
    execFileSync('bpftool', args, { encoding: 'utf8', maxBuffer: 1 << 28 });

  // Not `toBe`: a difference would be printed whole, and it has hundreds of thousands of lines.
  const isSame = (ours: string, theirs: string): void => {
    const [ourLines, theirLines] = [ours.split('\n'), theirs.split('\n')];
    const at = ourLines.findIndex((line, index) => line !== theirLines[index]);
    expect(at === -1 ? [] : [at + 1, ourLines[at], theirLines[at]]).toEqual([]);
    expect(ourLines.length).toBe(theirLines.length);
  };

  needs('bpftool').test('raw prints the same as bpftool, by name, by id and from a file', async () => {
    const theirs = bpftool('btf', 'dump', 'file', VMLINUX, 'format', 'raw');
    const { id } = JSON.parse((await btfctl(['list', 'vmlinux', '-o', 'json'], env)).stdout)[0];
    isSame(await dump('vmlinux'), theirs);
    isSame(await dump('id', String(id), 'format', 'raw'), theirs);
    isSame(await dump('file', VMLINUX), theirs);
  });

  needs('bpftool').test('json prints the same as bpftool, and matches its schema', async () => {
    const ours = await dump('vmlinux', '-o', 'json');
    const lines = (json: string): string => json.replaceAll('\n', '').replaceAll('},{"id"', '},\n{"id"');
    isSame(lines(ours), lines(bpftool('-j', 'btf', 'dump', 'file', VMLINUX)));
    const { stdout } = await btfctl(['dump', 'vmlinux', '--type', '*sock*', '--closure', '-o', 'json'], env);
    expect(schemaErrors('dump', stdout)).toEqual([]);
  });

  needs('bpftool').test(
    'c and header print the same as bpftool, except where its text is wrong',
    async () => {
      const ours = await dump('vmlinux', 'format', 'c');
      expect(compareC(ours, bpftoolC(VMLINUX)).unexplained).toEqual([]);
      // The daemon prints the header, and btfctl that of a file.
      expect((await btfctl(['header'], env)).stdout === ours).toBe(true);
      expect((await btfctl(['header', VMLINUX], env)).stdout === ours).toBe(true);
      const unsorted = await dump('vmlinux', 'format', 'c', 'unsorted');
      expect(compareC(unsorted, bpftoolC(VMLINUX, undefined, ['unsorted'])).unexplained).toEqual([]);
      expect((await btfctl(['header', '--unsorted'], env)).stdout === unsorted).toBe(true);
    },
  );

  test('btfctl prints the C that is too much for the daemon', async () => {
    await using limited = await DaemonProcess.start({ args: ['--max-c-header', '1MiB'] });
    const { stdout, stderr, status } = await btfctl(['header'], { BTFD_ADDRESS: limited.address });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout === (await btfctl(['header', VMLINUX], env)).stdout).toBe(true);
  });

  test('the daemon prints the C that btfctl prints, in each form', async () => {
    await using client = new BtfClient(daemon.address);
    const names = ['bpf_task_acquire', 'vfs_read', 'task_struct'];
    const types = names.flatMap((name) => ['--type', name]);
    const header = async (...args: string[]): Promise<string> =>
      (await btfctl(['header', ...types, ...args], env)).stdout;
    expect(await client.cHeader('vmlinux', { names })).toBe(await header());
    const form = { kfuncs: false, assertions: true };
    const text = await client.cHeader('vmlinux', { names }, form);
    expect(text).toBe(await header('--no-kfuncs', '--assert'));
    expect(text).toContain('extern ssize_t vfs_read(struct file *');
    expect(text).toContain('_Static_assert(sizeof(struct task_struct) == ');
    expect(text).not.toContain('bpf_task_acquire(');
    for (const args of [['--unsorted'], ['--no-kfuncs'], ['--assert']]) {
      const [ofDaemon, ofFile] = [
        await btfctl(['header', ...args], env),
        await btfctl(['header', VMLINUX, ...args], env),
      ];
      expect(ofDaemon.stdout === ofFile.stdout).toBe(true);
    }
  });

  needs('gcc').test('the header of some types compiles on its own', async () => {
    const header = await btfctl(['header', '--type', 'task_struct', '--type', 'sk_buff'], env);
    const path = join(dir, 'types.c');
    const asserts = '_Static_assert(sizeof(struct sk_buff) > 0 && sizeof(struct task_struct) > 0, "");';
    writeFileSync(path, `${header.stdout}\n${asserts}\n`);
    execFileSync('gcc', ['-std=gnu11', '-fsyntax-only', '-w', path]);
  });

  needs('pahole').test('layout prints the same as pahole', async () => {
    const structs = ['tcp_sock', 'task_struct', 'page'];
    for (const name of structs) {
      // It warns about each kind that its version does not know.
      const theirs = execFileSync('pahole', ['-C', name, VMLINUX], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const ours = await dump('vmlinux', '--type', name, '--format', 'layout');
      // pahole ends with an empty line.
      expect(`${ours}\n`).toBe(theirs);
    }
  });

  needs('bpftool').test(
    'btf prints the raw bytes, and for some types BTF that bpftool can read',
    async () => {
      const path = join(dir, 'vmlinux.btf');
      const write = (...args: string[]): Buffer =>
        execFileSync(
          'sh',
          ['-c', `"$0" "$@" > ${path}`, process.execPath, BTFCTL, 'dump', ...args, 'format', 'btf'],
          { env: { ...process.env, ...env } },
        );
      write('vmlinux');
      expect(readFileSync(path).equals(readFileSync(VMLINUX))).toBe(true);
      write('vmlinux', '--type', 'list_head');
      expect(bpftool('btf', 'dump', 'file', path)).toBe(await dump(path));
      expect(await dump(path)).toMatch(/^\[1\] STRUCT 'list_head' size=16 vlen=2\n/);
    },
  );

  test('--closure adds the types that the others refer to, with their own ids', async () => {
    const whole = await dump('vmlinux');
    const some = await dump('vmlinux', '--type', 'list_head', '--closure');
    const blocks = some.split(/^(?=\[)/m);
    expect(blocks.map((block) => block.split(' ')[1])).toEqual(['STRUCT', 'PTR']);
    for (const block of blocks) expect(whole).toContain(block);
  });

  test('a reader that leaves early ends it without an error', () => {
    const script = '"$0" "$@" | head -n 1; echo "${PIPESTATUS[0]}"';
    const out = execFileSync('bash', ['-c', `${script} 2>&1`, process.execPath, BTFCTL, 'dump', 'vmlinux'], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(out).toMatch(/^\[1\] \w+ .*\n0\n$/);
  });

  needs('debian-kernels', 'bpftool').test(
    'a module in a file uses the vmlinux that --base names',
    async () => {
      const kernel = DEBIAN_KERNEL;
      const module = readdirSync(kernel).find((name) => name !== 'vmlinux') ?? '';
      const [path, base] = [join(kernel, module), join(kernel, 'vmlinux')];
      isSame(await dump(path, '--base', base), bpftool('-B', base, 'btf', 'dump', 'file', path));
      const without = await btfctl(['dump', path], env);
      expect(without).toMatchObject({ status: 1, stdout: '' });
      expect(without.stderr).toMatch(/needs its base\nhint: name its base with --base/);
      await using node = await DaemonProcess.start({ args: ['--btf-dir', kernel] });
      const ofNode = await btfctl(['dump', module], { BTFD_ADDRESS: node.address });
      isSame(ofNode.stdout, await dump(path, '--base', base));
    },
  );
});
