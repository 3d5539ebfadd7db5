import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { HungFileSystem } from './testing/hung-file-system.js';
import { RawClient } from './testing/raw-client.js';
import { TestCertificates } from './testing/test-certificates.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));
const TOO_LONG = 'has not ended after 10s: does its file system hang?';

const dir = mkdtempSync(join(tmpdir(), 'btfd-files-'));
/** A folder without BTF to serve. It must not contain a folder that hangs. */
const btfDir = mkdtempSync(join(tmpdir(), 'btfd-no-btf-'));
afterAll(() => {
  for (const each of [dir, btfDir]) rmSync(each, { recursive: true });
});

let certificates: TestCertificates;
beforeAll(async () => {
  certificates = await TestCertificates.make();
});
afterAll(() => certificates[Symbol.dispose]());

/** Makes a folder with a policy. */
function policyIn(name: string): { readonly folder: string; readonly policy: string } {
  const folder = join(dir, name);
  const policy = join(folder, 'policy.yaml');
  mkdirSync(folder);
  writeFileSync(policy, 'viewers: []\n');
  return { folder, policy };
}

function replaceByPipe(file: string): void {
  execFileSync('mkfifo', [`${file}.pipe`]);
  renameSync(`${file}.pipe`, file);
}

/** Runs a daemon that cannot start. */
function run(args: readonly string[]) {
  const { status, signal, stderr } = spawnSync(process.execPath, [BTFD, ...args], {
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, BTFD_METRICS_LISTEN: 'off' },
  });
  return { status, signal, stderr };
}

async function isServed(daemon: DaemonProcess): Promise<boolean> {
  using client = new RawClient(daemon.address);
  return (await client.call('getServerInfo', {})).version !== '';
}

/** Returns the size of an object's BTF. */
async function read(daemon: DaemonProcess, name: string): Promise<number> {
  using client = new RawClient(daemon.address);
  let bytes = 0;
  const source = { case: 'name', value: name } as const;
  for await (const { part } of client.stream('spec', { source, encoding: 1 })) {
    if (part.case === 'raw') bytes += part.value.length;
  }
  return bytes;
}

describe('A pipe that nobody writes to', () => {
  test.each(['config', 'policy', 'tls-cert', 'tls-key', 'tls-client-ca'])(
    'stops the start with an error as --%s',
    (flag) => {
      const pipe = join(dir, `${flag}.pipe`);
      execFileSync('mkfifo', [pipe]);
      const listen = ['--listen', `unix:${dir}/${flag}.sock`];
      const tls = certificates.args.filter(
        (word, at, words) => word !== `--${flag}` && words[at - 1] !== `--${flag}`,
      );
      const { status, stderr } = run(['--btf-dir', btfDir, ...tls, ...listen, `--${flag}`, pipe]);
      expect(status).toBe(flag === 'config' ? 2 : 1);
      expect(stderr).toContain(`${pipe} is a pipe, not a regular file`);
    },
  );

  test('is not listed or read in --btf-dir', async () => {
    const folder = mkdtempSync(join(dir, 'pipes-'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    writeFileSync(join(folder, 'ok'), intBtf(1, 'ok'));
    await using daemon = await DaemonProcess.start({ args: ['--btf-dir', folder] });
    expect(await read(daemon, 'ok')).toBeGreaterThan(0);
    await expect(read(daemon, 'pipe')).rejects.toThrow('NOT_FOUND');
    replaceByPipe(join(folder, 'ok'));
    await expect(read(daemon, 'ok')).rejects.toThrow('NOT_FOUND');
    expect(await daemon.end()).toBe(0);
  });

  test('changes nothing at a reload, and the daemon serves', async () => {
    const { policy } = policyIn('reload');
    const config = join(dir, 'reload.yaml');
    writeFileSync(config, `btf-dir: ${btfDir}\n`);
    const args = ['--config', config, '--policy', policy, ...certificates.args, '--reload-interval', '24h'];
    await using daemon = await DaemonProcess.start({ args });
    for (const file of [config, policy, certificates.files.key]) {
      replaceByPipe(file);
      daemon.signal('SIGHUP');
      const refusal = `${file} is a pipe, not a regular file`;
      await until('the pipe is refused', () => daemon.log.text.includes(refusal));
      expect(await isServed(daemon)).toBe(true);
    }
    expect(await daemon.end()).toBe(0);
  });
});

needs('root', 'fuse').describe('A file system that hangs', () => {
  test('takes one thread at reloads, and the daemon serves and can be stopped', async () => {
    const { folder, policy } = policyIn('hung');
    const args = ['--btf-dir', btfDir, '--policy', policy, '--reload-interval', '24h'];
    await using daemon = await DaemonProcess.start({ args });
    const failures = (): number => daemon.log.text.split(`reading ${policy} ${TOO_LONG}`).length - 1;
    using _ = await HungFileSystem.mount(folder);
    daemon.signal('SIGHUP');
    await until('a thread waits', () => HungFileSystem.waiters(daemon.pid) === 1);
    expect(await isServed(daemon)).toBe(true);
    await until('the reload fails', () => failures() > 0);
    const before = failures();
    for (let count = 1; count <= 3; count += 1) {
      daemon.signal('SIGHUP');
      await until('the next reload fails', () => failures() >= before + count);
      expect(HungFileSystem.waiters(daemon.pid)).toBe(1);
    }
    expect(await isServed(daemon)).toBe(true);
    // By SIGKILL, because an exit would wait for the thread.
    expect(await daemon.end()).toBeNull();
    expect(daemon.log.text).toContain('"msg":"ended"');
  });

  test('is used again when it replies', async () => {
    const { folder, policy } = policyIn('back');
    const args = ['--btf-dir', btfDir, '--policy', policy, '--reload-interval', '100ms'];
    await using daemon = await DaemonProcess.start({ args });
    {
      using _ = await HungFileSystem.mount(folder);
      await until('it is logged', () => daemon.log.text.includes(`looking at ${policy} ${TOO_LONG}`));
      expect(HungFileSystem.waiters(daemon.pid)).toBe(1);
    }
    writeFileSync(policy, 'viewers: [uid:1]\n');
    await until('the policy is read', () => daemon.log.text.includes('reloaded the policy'));
    expect(await daemon.end()).toBe(0);
  });

  test('as --btf-dir takes one thread, and the daemon serves and reads its policy', async () => {
    const { policy } = policyIn('beside');
    const folder = join(dir, 'btf');
    mkdirSync(folder);
    const hung = 'does its file system hang?';
    writeFileSync(join(folder, 'ok'), intBtf(1, 'ok'));
    const args = ['--btf-dir', folder, '--policy', policy, '--reload-interval', '24h'];
    {
      await using daemon = await DaemonProcess.start({ args });
      expect(await read(daemon, 'ok')).toBeGreaterThan(0);
      {
        using _ = await HungFileSystem.mount(folder);
        const reads = Array.from({ length: 5 }, async () => read(daemon, 'ok').catch(String));
        await until('a thread waits', () => HungFileSystem.waiters(daemon.pid) === 1);
        expect(await isServed(daemon)).toBe(true);
        daemon.signal('SIGHUP');
        await until('the policy is read', () => daemon.log.text.includes('reloaded the policy'));
        for (const error of await Promise.all(reads)) expect(error).toContain(hung);
        expect(HungFileSystem.waiters(daemon.pid)).toBe(1);
      }
      await until('it is read again', async () => (await read(daemon, 'ok').catch(() => 0)) > 0);
      expect(await daemon.end()).toBe(0);
    }
    using _ = await HungFileSystem.mount(folder);
    const atStart = run(['--btf-dir', folder, '--listen', `unix:${dir}/hung-btf.sock`]);
    expect(atStart.stderr).toContain(`looking at ${folder} ${TOO_LONG}`);
  });

  test('does not keep SIGTERM waiting during the start', async () => {
    const { folder, policy } = policyIn('ending');
    using _ = await HungFileSystem.mount(folder);
    const args = ['--btf-dir', btfDir, '--listen', `unix:${dir}/ending.sock`, '--policy', policy];
    const env = { ...process.env, BTFD_METRICS_LISTEN: 'off' };
    const child = spawn(process.execPath, [BTFD, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    await until('a thread waits', () => HungFileSystem.waiters(child.pid ?? 0) === 1);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    expect(log).toContain('ended before the start was complete');
    // The signal came first.
    expect(log).not.toContain(TOO_LONG);
  });

  test('ends the start with an error', async () => {
    const { folder, policy } = policyIn('start');
    using _ = await HungFileSystem.mount(folder);
    const listen = ['--listen', `unix:${dir}/hung.sock`];
    const atStart = run(['--btf-dir', btfDir, ...listen, '--policy', policy]);
    expect(atStart.stderr).toContain(`looking at ${policy} ${TOO_LONG}`);
    expect(atStart.signal).toBe('SIGKILL');
    const settings = run(['config', 'check', '--config', policy]);
    expect(settings.stderr).toBe(`error: cannot read the settings: reading ${policy} ${TOO_LONG}\n`);
  });
});

describe('Settings that every user may change', () => {
  test('are refused, with the command that mends it', () => {
    const file = join(dir, 'open.yaml');
    writeFileSync(file, `loader: ['uid:1000']\n`);
    chmodSync(file, 0o666);
    const check = () => run(['config', 'check', '--config', file]);
    const { status, stderr } = check();
    expect(status).toBe(2);
    const command = /mode 0666: (chmod .*)$/.exec(stderr.trim())?.[1] ?? '';
    // Only the group of root is trusted.
    expect(command).toBe(`chmod ${process.getegid?.() === 0 ? 'o' : 'go'}-w ${file}`);
    execFileSync('sh', ['-c', command]);
    expect(check().status).toBe(0);
  });
});
