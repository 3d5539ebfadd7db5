import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Daemon } from '../daemon.js';
import { startDaemon } from '../start-daemon.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { logLines } from '../testing/log-lines.js';
import { TempDir } from '../testing/temp-dir.js';
import { OperationsServer } from './operations-server.js';

const ANY_PORT = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;

/** Starts a daemon whose address for metrics is in use. */
async function startWhereTaken(dir: string, metricsRequired: boolean) {
  const taken = await OperationsServer.open(ANY_PORT, {
    metrics: async () => '',
    metricsType: '',
    notReady: () => null,
    limits: () => null,
  });
  const { logger, lines } = logLines('warn');
  const kernel = new FakeKernel();
  const addresses = [{ kind: 'unix', path: join(dir, 'btfd.sock') }] as const;
  const metricsAddress = taken.address;
  const starting = startDaemon({ addresses, btfDir: null, kernel, logger, metricsAddress, metricsRequired });
  return { starting, lines, kernel, release: async () => taken.close() };
}

describe('A daemon whose address for metrics is in use', () => {
  test('does not start if metrics are required', async () => {
    using dir = new TempDir();
    const { starting, release } = await startWhereTaken(dir.path, true);
    await expect(starting).rejects.toThrow('EADDRINUSE');
    await release();
  });

  test('warns and serves without them otherwise', async () => {
    using dir = new TempDir();
    const { starting, lines, release } = await startWhereTaken(dir.path, false);
    const daemon: Daemon = await starting;
    expect([daemon.metricsAddress, daemon.addresses.length]).toEqual([null, 1]);
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'cannot serve metrics', err: { code: 'EADDRINUSE' } },
    ]);
    await daemon.stop();
    await release();
  });
});

test('A daemon that cannot listen for clients leaves no socket for metrics open', async () => {
  using dir = new TempDir();
  const { logger } = logLines('silent');
  const probe = await OperationsServer.open(ANY_PORT, {
    metrics: async () => '',
    metricsType: '',
    notReady: () => null,
    limits: () => null,
  });
  const metricsAddress = probe.address;
  await probe.close();
  // Its folder is a file.
  writeFileSync(join(dir.path, 'file'), '');
  const addresses = [{ kind: 'unix', path: join(dir.path, 'file', 'btfd.sock') }] as const;
  const kernel = new FakeKernel();
  const starting = startDaemon({ addresses, btfDir: null, kernel, logger, metricsAddress });
  await expect(starting).rejects.toThrow(/ENOTDIR|EEXIST/);
  const again = await OperationsServer.open(metricsAddress, {
    metrics: async () => '',
    metricsType: '',
    notReady: () => null,
    limits: () => null,
  });
  await again.close();
});

test.each([
  ['0.0.0.0', ['metrics are served to every machine that can connect, without authentication']],
  ['::', ['metrics are served to every machine that can connect, without authentication']],
  ['127.0.0.1', []],
  ['localhost', []],
])('Metrics on a public address are logged: %s', async (host, expected) => {
  using dir = new TempDir();
  const { logger, lines } = logLines('warn');
  const daemon = await startDaemon({
    addresses: [{ kind: 'unix', path: join(dir.path, 'btfd.sock') }],
    btfDir: dir.path,
    kernel: new FakeKernel(),
    logger,
    metricsAddress: { kind: 'tcp', host, port: 0 },
  });
  await daemon.stop();
  expect(lines.map(({ msg }) => msg)).toEqual(expected);
});
