import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { FakeDaemon } from '@btfd/client/testing';
import { btfctl, type Ran } from './testing/btfctl.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

/** A resolver of the system has no other port than 53. */
const SERVER = '127.0.53.7';
/** Two addresses of one name, as pods of a headless Service. */
const PODS = ['127.0.53.11', '127.0.53.12'];

needs('root', 'unshare', 'dnsmasq').describe('btfctl fleet, with a DNS server of the machine', () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfctl-dns-'));
  const resolvConf = join(dir, 'resolv.conf');
  const MACHINE = [
    'unshare',
    '--mount',
    'sh',
    '-c',
    'mount --bind "$0" /etc/resolv.conf && exec "$@"',
    resolvConf,
  ];
  let daemons: readonly FakeDaemon[] = [];
  let dns: AsyncDisposable | undefined;
  let port = '';

  const fleet = (...args: readonly string[]): Promise<Ran> =>
    btfctl(['fleet', 'kernels', '--connect-timeout', '60s', ...args], {}, MACHINE);

  beforeAll(async () => {
    writeFileSync(resolvConf, `nameserver ${SERVER}\n`);
    const objects = [{ name: 'vmlinux', btf: intBtf(1, 'int') }];
    const first = await FakeDaemon.start({ nodeName: 'web1', objects, listen: `${PODS[0]}:0` });
    port = first.address.split(':').at(-1) ?? '';
    const second = await FakeDaemon.start({ nodeName: 'web2', objects, listen: `${PODS[1]}:${port}` });
    daemons = [first, second];
    dns = await startDns([
      ...PODS.map((address) => `--host-record=btfd.example,${address}`),
      ...PODS.map((address, index) => `--host-record=web${index + 1}.example,${address}`),
      ...['web1', 'web2', 'gone'].map((host) => `--srv-host=_grpc._tcp.btfd.example,${host}.example,${port}`),
    ]);
  });
  afterAll(async () => {
    await dns?.[Symbol.asyncDispose]();
    await Promise.all(daemons.map(async (daemon) => daemon.stop()));
    rmSync(dir, { recursive: true });
  });

  test('asks each address of a name', async () => {
    const ran = await fleet('--dns', `btfd.example:${port}`, '-o', 'json');
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ complete: true, builds: [{ nodes: ['web1', 'web2'] }] });
  });

  test('asks each target of SRV records, and names one without an address', async () => {
    const ran = await fleet('--dns', '_grpc._tcp.btfd.example', '--srv');
    expect(ran.status).toBe(9);
    expect(ran.stdout).toMatch(/ 2 +0 {2}web1\.example\n- +\(no answer\) +1\n$/);
    expect(ran.stderr).toMatch(/\n {2}1 failed: gone\.example has no addresses in DNS: gone\.example\n/);
  });

  test('says that a name has no addresses', async () => {
    const stderr = 'btfctl: nosuch.example has no addresses in DNS\n';
    expect(await fleet('--dns', `nosuch.example:${port}`)).toEqual({ status: 3, stdout: '', stderr });
  });
});

/** Starts a server that knows only what its arguments say. */
async function startDns(records: readonly string[]): Promise<AsyncDisposable> {
  const own = ['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--pid-file'];
  const listen = ['--bind-interfaces', `--listen-address=${SERVER}`, '--port=53', '--log-facility=-'];
  const child = spawn('dnsmasq', [...own, ...listen, '--local=/example/', ...records], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('dnsmasq is ready', () => {
    if (child.exitCode !== null) throw new Error(`dnsmasq ended: ${said}`);
    return /started, version/.test(said);
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
