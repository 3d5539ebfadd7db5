import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { connected, streamsBytes } from 'test-tools/raw-frames';
import { DaemonProcess } from './testing/daemon-process.js';
import { RawClient } from './testing/raw-client.js';
import { RawHttp2 } from './testing/raw-http2.js';
import { until } from './testing/until.js';

const MIB = 1024 * 1024;
/** The longest time of a flood. On a busy machine a call may wait for each timeout of the daemon, of a minute or more. */
const FLOOD_MS = 60_000;
const SPEC = '/btf.v1.BtfService/Spec';

/** Opens streams on many connections at once, and leaves when the daemon has had time for them. */
async function streams(daemon: DaemonProcess, reset: boolean): Promise<void> {
  const bytes = streamsBytes({ path: SPEC, count: 990, reset });
  const sockets = await Promise.all(Array.from({ length: 200 }, async () => connected(daemon.socket)));
  for (const socket of sockets) socket.write(bytes);
  await setTimeout(5_000);
  for (const socket of sockets) socket.destroy();
}

/** Opens connections that only speak HTTP/2. */
async function connections(daemon: DaemonProcess): Promise<void> {
  const clients = Array.from({ length: 240 }, () => new RawHttp2(daemon.socket));
  await Promise.all(clients.map(async (client) => client.request('GetServerInfo', new Uint8Array())));
  for (const client of clients) client[Symbol.dispose]();
}

/** Sends requests that are larger than their method accepts. */
async function largeRequests(daemon: DaemonProcess): Promise<void> {
  using client = new RawHttp2(daemon.socket);
  const message = new Uint8Array(120 * 1024);
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 300 }, async () => client.request('GetServerInfo', message)));
  }
}

/** Sends BTF of 16 MiB that the kernel refuses at once, until the time is over. */
async function loads(daemon: DaemonProcess): Promise<void> {
  using client = new RawClient(daemon.address);
  const deadline = Date.now() + FLOOD_MS;
  const source = { case: 'rawBtf', value: new Uint8Array(16 * MIB - 64) } as const;
  for (let count = 0; count < 20 && Date.now() < deadline; count++) {
    await client.call('loadHandle', { source }, { deadline }).catch(() => {});
  }
}

/** Reads vmlinux, in an encoding, many times at once, until the time is over. */
async function specs(daemon: DaemonProcess, encoding: 1 | 2 | 3): Promise<void> {
  using client = new RawClient(daemon.address);
  const deadline = Date.now() + FLOOD_MS;
  const read = async (): Promise<void> => {
    const source = { case: 'name', value: 'vmlinux' } as const;
    for await (const answer of client.stream('spec', { source, encoding }, { deadline })) void answer;
  };
  // Reads that the time cuts short are a flood too.
  await Promise.allSettled(Array.from({ length: 8 }, read));
}

needs('bpf').describe(
  'The memory of the daemon is within a minute what it was, and half as much again, after',
  () => {
    test.each<[string, (daemon: DaemonProcess) => Promise<void>]>([
      ['streams that are reset', async (daemon) => streams(daemon, true)],
      ['streams that stay open', async (daemon) => streams(daemon, false)],
      ['many connections', connections],
      ['requests that are too large', largeRequests],
      ['loads of 16 MiB', loads],
      ['the raw BTF of vmlinux', async (daemon) => specs(daemon, 1)],
      ['the types of vmlinux', async (daemon) => specs(daemon, 2)],
      ['C headers of vmlinux', async (daemon) => specs(daemon, 3)],
    ])(
      '%s',
      async (_, flood) => {
        await using daemon = await DaemonProcess.start();
        using client = new RawClient(daemon.address);
        for (let count = 0; count < 200; count++) await client.call('getServerInfo', {});
        const before = daemon.residentBytes();
        let most = before;
        const timer = setInterval(() => (most = Math.max(most, daemon.residentBytes())), 50);
        await flood(daemon);
        clearInterval(timer);
        await until(
          `at most 1.5 times ${before} bytes are resident, after ${most}`,
          () => daemon.residentBytes() <= 1.5 * before,
        );
        const { version } = await client.call('getServerInfo', {});
        expect(version).not.toBe('');
      },
      400_000,
    );
  },
);
