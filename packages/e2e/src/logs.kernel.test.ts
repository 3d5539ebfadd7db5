import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { failureOf, RawClient } from './testing/raw-client.js';
import { Scrape } from './testing/scrape.js';
import { until } from './testing/until.js';

const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));
const ARGS = ['--metrics-listen', '127.0.0.1:0', '--log-format', 'json', '--log-level', 'debug'];

/** Makes calls that log about 300 bytes each. */
async function callOften(client: RawClient, times: number): Promise<void> {
  for (let i = 0; i < times; i += 100) {
    await Promise.all(
      Array.from({ length: 100 }, () => failureOf(client.call('getHandleInfo', { token: 'x' }))),
    );
  }
}

needs('bpf').describe('A log that cannot be written', () => {
  needs('python3-prometheus-client').test(
    'because nobody reads it delays neither calls nor the shutdown, and lines are dropped',
    async () => {
      await using daemon = await DaemonProcess.start({ args: ARGS });
      using client = new RawClient(daemon.address);
      daemon.leaveLogUnread();
      const dropped = async () => (await Scrape.of(daemon.metricsUrl)).sum('btfd_log_lines_dropped_total');
      // Until the pipe and the daemon's buffer are full: about 1.3 MB.
      while ((await dropped()) < 100) await callOften(client, 1000);
      expect((await client.call('getServerInfo', {})).version).not.toBe('');
      expect(await daemon.end()).toBe(0);
    },
  );

  needs('python3-prometheus-client').test('because its reader is gone does not stop the daemon', async () => {
    await using daemon = await DaemonProcess.start({ args: ARGS });
    using client = new RawClient(daemon.address);
    daemon.closeLog();
    await callOften(client, 200);
    expect((await client.call('getServerInfo', {})).version).not.toBe('');
    expect((await Scrape.of(daemon.metricsUrl)).sum('btfd_log_lines_dropped_total')).toBeGreaterThan(100);
    expect(await daemon.end()).toBe(0);
  });

  test('because the disk is full does not stop the daemon', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-e2e-'));
    const socket = join(dir, 'btfd.sock');
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [BTFD, '--listen', `unix:${socket}`, ...ARGS], {
      stdio: ['ignore', 'ignore', full],
    });
    const exited = once(child, 'exit');
    try {
      await until('it listens', () => existsSync(socket));
      using client = new RawClient(`unix:${socket}`);
      await callOften(client, 100);
      expect((await client.call('getServerInfo', {})).version).not.toBe('');
      child.kill();
      expect(await exited).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
      closeSync(full);
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

test('Lines that journald reads begin with the priority of their level', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-e2e-'));
  const log = join(dir, 'log');
  const fd = openSync(log, 'w');
  const { dev, ino } = fstatSync(fd);
  const child = spawn(
    process.execPath,
    [BTFD, '--listen', `unix:${join(dir, 'btfd.sock')}`, '--btf-dir', dir],
    {
      stdio: ['ignore', 'ignore', fd],
      env: { ...process.env, BTFD_METRICS_LISTEN: 'off', JOURNAL_STREAM: `${dev}:${ino}` },
    },
  );
  const exited = once(child, 'exit');
  try {
    await until('it listens', () => readFileSync(log, 'utf8').includes('"msg":"listening"'));
    child.kill();
    await exited;
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^<[2-7]>\{"level":"/);
    expect(lines.at(-1)).toMatch(/^<6>\{"level":"info",.*"msg":"ended"\}$/);
  } finally {
    child.kill('SIGKILL');
    closeSync(fd);
    rmSync(dir, { recursive: true, force: true });
  }
});
