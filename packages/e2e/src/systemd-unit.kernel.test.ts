import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Etcd } from 'test-tools/etcd';
import { Mode } from '@btfd/api';
import { PrivateSystemd } from './testing/private-systemd.js';
import { RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const UNITS = fileURLToPath(new URL('../../../deploy/systemd', import.meta.url));

needs('bpf', 'systemd').describe('The systemd units', () => {
  let systemd: PrivateSystemd;

  beforeAll(async () => {
    systemd = await PrivateSystemd.boot();
  });
  afterAll(async () => {
    await systemd[Symbol.asyncDispose]();
  });

  test('pass systemd-analyze verify', () => {
    const units = ['btfd.service', 'btfd.socket', 'btfd-fd.socket', 'btfd-register.service'];
    expect(systemd.run('systemd-analyze', 'verify', ...units)).toEqual({ code: 0, output: '' });
  });

  test.each([
    ['btfd', '1.7'],
    ['btfd-register', '1.1'],
  ])('have a low exposure level in systemd-analyze security: %s', (name, level) => {
    const unit = join(UNITS, `${name}.service`);
    const args = ['security', '--offline=true', '--threshold=17', '--no-pager', unit];
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect([status, /exposure level for \S+: (\d\.\d)/.exec(stdout)?.[1]]).toEqual([0, level]);
  });

  test('start a fully working daemon at the first connection', async () => {
    expect(systemd.property('ActiveState')).toBe('inactive');
    using client = new RawClient(systemd.address);
    expect((await client.call('getServerInfo', {})).mode).toBe(Mode.FULL);
    expect([systemd.property('ActiveState'), systemd.property('StatusText')]).toEqual([
      'active',
      'serving on unix:/run/btfd/btfd.sock',
    ]);

    const { result } = await client.call('loadHandle', {
      source: { case: 'rawBtf', value: intBtf(1, 'unit') },
    });
    const loaded = result.case === 'handle' ? result.value : undefined;
    const ids: (number | undefined)[] = [];
    for await (const { info } of client.stream('iterateHandles', {})) ids.push(info?.id);
    expect(ids).toContain(loaded?.info?.id);
    const chunks: Uint8Array[] = [];
    for await (const { part } of client.stream('spec', { source: { case: 'name', value: 'vmlinux' } })) {
      if (part.case === 'raw') chunks.push(part.value);
    }
    expect(Buffer.concat(chunks).equals(readFileSync('/sys/kernel/btf/vmlinux'))).toBe(true);
  });

  test('leave the daemon one capability, no way to gain more, and a read-only root', () => {
    const pid = systemd.mainPid();
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
    const one = (1n << 21n).toString(16).padStart(16, '0');
    expect(['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'].map(field)).toEqual([one, one, one, one]);
    expect(field('Uid')).not.toBe('0');
    expect([field('NoNewPrivs'), field('Seccomp')]).toEqual(['1', '2']);
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'latin1');
    expect(/^\d+ \d+ \S+ \S+ \/ (\S+)/m.exec(mounts)?.[1]).toMatch(/^ro,/);
  });

  test('reload the daemon without a restart', () => {
    const pid = systemd.mainPid();
    expect(systemd.run('systemctl', 'reload', 'btfd.service')).toEqual({ code: 0, output: '' });
    expect([systemd.mainPid(), systemd.property('ActiveState')]).toEqual([pid, 'active']);
  });

  test('stop the daemon, which shuts down cleanly, and start it again at the next connection', async () => {
    expect(systemd.run('systemctl', 'stop', 'btfd.service').code).toBe(0);
    expect([systemd.property('ActiveState'), systemd.property('Result')]).toEqual(['inactive', 'success']);
    using client = new RawClient(systemd.address);
    expect((await client.call('getServerInfo', {})).mode).toBe(Mode.FULL);
  });

  needs('etcd', 'etcdctl', 'openssl').test(
    'register the node in etcd, and remove it when they stop',
    async () => {
      await using etcd = await Etcd.start({ tls: true });
      const { certFile, keyFile } = etcd.issueClient('node');
      const dir = mkdtempSync(join(tmpdir(), 'btfd-unit-'));
      try {
        writeFileSync(join(dir, 'ca.crt'), etcd.ca);
        const variables = `ETCD=${etcd.hosts.join(',')}\nADVERTISE=node.example:7443\nMORE=--label zone=a\n`;
        writeFileSync(join(dir, 'register.env'), variables);
        const files = [join(dir, 'ca.crt'), certFile, keyFile, join(dir, 'register.env')];
        for (const [index, name] of [
          'etcd/ca.crt',
          'etcd/client.crt',
          'etcd/client.key',
          'register.env',
        ].entries()) {
          const installed = systemd.run(
            'install',
            '-D',
            '-m',
            '640',
            '-g',
            'btfd-register',
            files[index] ?? '',
            `/etc/btfd/${name}`,
          );
          expect(installed).toEqual({ code: 0, output: '' });
        }
        expect(systemd.run('systemctl', 'start', 'btfd-register.service')).toEqual({ code: 0, output: '' });
        const node = async (): Promise<string> =>
          etcd.ctl('get', '/btfd/nodes/', '--prefix', '--print-value-only');
        await until('the node is registered', async () => (await node()) !== '');
        expect(JSON.parse(await node())).toEqual({ address: 'node.example:7443', labels: { zone: 'a' } });
        const pid = systemd.mainPid('btfd-register.service');
        const status = readFileSync(`/proc/${pid}/status`, 'latin1');
        const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
        expect(['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'].map(field)).toEqual(
          Array(4).fill('0000000000000000'),
        );
        expect(field('Uid')).not.toBe('0');
        expect(systemd.run('systemctl', 'stop', 'btfd-register.service').code).toBe(0);
        expect(systemd.property('Result', 'btfd-register.service')).toBe('success');
        expect(await node()).toBe('');
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  );
});
