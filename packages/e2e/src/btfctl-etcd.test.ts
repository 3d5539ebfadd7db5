import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Etcd } from 'test-tools/etcd';
import { FakeDaemon } from '@btfd/client/testing';
import { Btfctl, btfctl } from './testing/btfctl.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

needs('etcd', 'etcdctl', 'openssl').describe('btfctl fleet register', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-register-'));
  const prefix = '/btfd/nodes/';
  let etcd: Etcd;
  let daemon: FakeDaemon;

  beforeAll(async () => {
    etcd = await Etcd.start({ tls: true });
    daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: intBtf(1, 'int') }] });
  });
  afterAll(async () => {
    await daemon.stop();
    await etcd[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  function etcdFlags(): string[] {
    const { certFile, keyFile } = etcd.issueClient('web1');
    const ca = join(dir, 'ca.crt');
    writeFileSync(ca, etcd.ca);
    return ['--etcd', etcd.hosts.join(','), '--etcd-ca', ca, '--etcd-cert', certFile, '--etcd-key', keyFile];
  }

  function register(name: string, more: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Btfctl {
    const own = ['--name', name, '--advertise', daemon.address];
    return new Btfctl(
      ['--address', daemon.address, 'fleet', 'register', ...etcdFlags(), ...own, ...more],
      env,
    );
  }

  async function isRegistered(run: Btfctl, name: string): Promise<void> {
    const line = `btfctl: registered ${name} (${daemon.address})\n`;
    await until(line, () => run.stderr.includes(line));
  }

  const valueOf = async (name: string): Promise<string> =>
    etcd.ctl('get', `${prefix}${name}`, '--print-value-only');

  test('registers the node, which others find, and removes it at SIGTERM', async () => {
    await using run = register('web1', ['--label', 'zone=a', '--label', 'empty=']);
    await isRegistered(run, 'web1');
    expect(JSON.parse(await valueOf('web1'))).toEqual({
      address: daemon.address,
      labels: { zone: 'a', empty: '' },
    });
    const found = await btfctl(['fleet', 'kernels', ...etcdFlags(), '--selector', 'zone=a', '-o', 'json']);
    expect(found).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(found.stdout)).toMatchObject({ complete: true, builds: [{ nodes: ['web1'] }] });
    // Nobody knows whether a broken entry has the label.
    await etcd.ctl('put', `${prefix}broken`, 'by hand');
    const beside = await btfctl(['fleet', 'kernels', ...etcdFlags(), '--selector', 'zone=a', '-o', 'json']);
    expect(beside.status).toBe(9);
    expect(beside.stderr).toContain('1 failed: bad entry in etcd: its value is not JSON: broken\n');
    expect(JSON.parse(beside.stdout)).toMatchObject({ complete: false, builds: [{ nodes: ['web1'] }] });
    expect(await btfctl(['fleet', 'kernels', ...etcdFlags(), '--selector', 'zone=b'])).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(
        /none of 2 nodes of etcd .* has zone=b, and 1 of them is broken: bad entry in etcd: .* not JSON\n$/,
      ),
    });
    await etcd.ctl('del', `${prefix}broken`);
    run.kill('SIGTERM');
    const ended = await run.end();
    expect(ended).toMatchObject({ status: 0, stdout: '' });
    // An etcd that writes slowly to its disk may not respond in time, and the command says so.
    if (ended.stderr.includes('the lease is not revoked'))
      await until('expired', async () => (await valueOf('web1')) === '');
    expect(await valueOf('web1')).toBe('');
    expect(await btfctl(['fleet', 'kernels', ...etcdFlags(), '--prefix', '/none/'])).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringMatching(/^btfctl: etcd .*: there are no nodes\n$/),
    });
  });

  test('leaves a key that expires if it is killed', async () => {
    await using run = register('killed');
    await isRegistered(run, 'killed');
    run.kill('SIGKILL');
    await run.end();
    expect(await valueOf('killed')).not.toBe('');
    await until('the key has expired', async () => (await valueOf('killed')) === '');
  });

  test('fails if the key is that of another', async () => {
    await etcd.ctl('put', `${prefix}taken`, 'by hand');
    const ran = await register('taken').end();
    expect(ran).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^btfctl: the key \/btfd\/nodes\/taken of etcd exists without a lease: /m,
      ),
    });
    expect(await valueOf('taken')).toBe('by hand\n');
  });

  test('has another prefix, and a password that is in no argument', async () => {
    await using open = await Etcd.start();
    await open.ctl('user', 'add', 'root:secret');
    await open.ctl('user', 'grant-role', 'root', 'root');
    await open.ctl('auth', 'enable');
    const file = join(dir, 'password');
    writeFileSync(file, 'secret\n');
    const own = ['--name', 'web1', '--advertise', daemon.address];
    const args = ['--address', daemon.address, 'fleet', 'register', '--etcd', open.hosts.join(','), ...own];
    const user = ['--prefix', '/other/', '--etcd-user', 'root'];
    for (const [more, env] of [
      [['--etcd-password-file', file], {}],
      [[], { BTFCTL_ETCD_PASSWORD: 'secret' }],
    ] as const) {
      await using run = new Btfctl([...args, ...user, ...more], env);
      await isRegistered(run, 'web1');
      expect(await open.ctl('get', '/other/web1', '--user', 'root:secret')).toContain(daemon.address);
      run.kill('SIGINT');
      expect((await run.end()).status).toBe(0);
    }
    const wrong = await new Btfctl([...args, ...user], { BTFCTL_ETCD_PASSWORD: 'guess' }).end();
    expect(wrong).toMatchObject({
      status: 7,
      stderr: expect.stringContaining('invalid user ID or password'),
    });
    const none = await new Btfctl([...args, ...user]).end();
    expect(none).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('set BTFCTL_ETCD_PASSWORD, or'),
    });
  });
});

describe('btfctl fleet register refuses', () => {
  const ETCD = ['--etcd', '127.0.0.1:1'];

  test.each([
    [['fleet', 'register', '--advertise', 'h:1'], 'name its members with --etcd'],
    [['fleet', 'register', ...ETCD], 'name its address for others with --advertise HOST:PORT'],
    [
      ['--address', '127.0.0.1:7443', 'fleet', 'register', ...ETCD],
      'cannot reach the daemon at 127.0.0.1:7443',
    ],
    [['fleet', 'register', ...ETCD, '--advertise', 'unix:/x'], '--advertise: must be HOST:PORT'],
    [['fleet', 'register', ...ETCD, '--advertise', 'h:1', '--name', 'a/b'], '--name: must be 253 printable'],
    [['fleet', 'register', ...ETCD, '--advertise', 'h:1', '--label', 'x'], '--label "x" is not KEY=VALUE'],
    [['fleet', 'register', '--etcd', 'etcd1', '--advertise', 'h:1'], '--etcd: invalid address "etcd1"'],
    [
      ['fleet', 'register', ...ETCD, '--advertise', 'h:1', '--etcd-cert', 'x'],
      '--etcd-cert and --etcd-key need --etcd-ca',
    ],
    [['fleet', 'register', ...ETCD, '--advertise', 'h:1', '--etcd-ca', '/none'], '--etcd-ca: '],
    [['fleet', 'register', ...ETCD, '--advertise', 'h:1', '--etcd-password-file', 'x'], 'needs --etcd-user'],
    [['fleet', 'kernels', ...ETCD, '--dns', 'example:1'], '--dns and --etcd both name nodes'],
    [['fleet', 'kernels', '--prefix', '/x', '--dns', 'example:1'], '--prefix is an option of --etcd'],
  ])('%j', async (args, message) => {
    expect(await btfctl(args)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
  });

  test('etcd that does not respond, as a source of nodes', async () => {
    expect(await btfctl(['fleet', 'kernels', ...ETCD])).toMatchObject({
      status: 6,
      stderr: expect.stringMatching(/^btfctl: etcd 127.0.0.1:1, keys .*: cannot be reached: .*ECONNREFUSED/),
    });
  });
});
