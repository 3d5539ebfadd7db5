import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Builder } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { framed, RawHttp2, silentSockets } from './testing/raw-http2.js';
import { until } from './testing/until.js';

const MIB = 1024 * 1024;
const EMPTY = new Uint8Array();

/** Returns BTF with nested anonymous unions. A few hundred bytes print as megabytes of C, which double with each level. */
function explosiveBtf(levels: number): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  let inner = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const member = (name: string) => ({ name, typeId: inner, bitOffset: 0, bitfieldSize: 0 });
  for (let level = 0; level < levels; level++) {
    const members = level === levels - 1 ? [member('a')] : [member(''), member('')];
    inner = builder.add({
      kind: 'UNION',
      name: level === levels - 1 ? 'outer' : '',
      size: 4,
      members: level === 0 ? [member('a'), member('b')] : members,
    });
  }
  return builder.marshal();
}

needs('bpf').describe('A hostile client', () => {
  let daemon: DaemonProcess;
  let honest: RawClient;

  beforeAll(async () => {
    daemon = await DaemonProcess.start({ args: ['--handshake-timeout', '4s'] });
    honest = new RawClient(daemon.address);
    await serves();
  });
  afterAll(async () => {
    honest[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  /** Expects that an existing client is served within half a minute, however busy the machine is. */
  const serves = async (client = honest): Promise<void> => {
    const { version } = await client.call('getServerInfo', {}, { deadline: Date.now() + 30_000 });
    expect(version).not.toBe('');
  };
  /** Expects that a new client is served and that the daemon holds no more file descriptors than before. */
  const recovers = async (fds: number): Promise<void> => {
    await until('the daemon holds no more than before', () => daemon.fds().length <= fds + 2);
    using fresh = new RawClient(daemon.address);
    expect((await fresh.call('getServerInfo', {})).version).not.toBe('');
  };

  test('with two thousand silent connections takes a bounded number of sockets for a bounded time', async () => {
    const fds = daemon.fds().length;
    const sockets = await silentSockets(daemon.socket, 2_000);
    await serves();
    expect(daemon.fds().length - fds).toBeLessThanOrEqual(1_024);
    await until('silent connections are closed', () => sockets.every((socket) => socket.closed));
    await recovers(fds);
  });

  test('with connections that stop during the HTTP/2 preface is disconnected', async () => {
    const fds = daemon.fds().length;
    const sockets = await silentSockets(daemon.socket, 200);
    for (const socket of sockets) socket.write('PRI * HTTP/2.0\r\n\r\nSM');
    await serves();
    await until('they are closed', () => sockets.every((socket) => socket.closed));
    await recovers(fds);
  });

  test('that opens and resets ten thousand streams is disconnected, and keeps nothing', async () => {
    await using own = await DaemonProcess.start();
    using existing = new RawClient(own.address);
    await existing.call('getServerInfo', {});
    const fds = own.fds().length;
    const before = own.residentBytes();
    using raw = new RawHttp2(own.socket);
    await once(raw.session, 'connect');
    let opened = 0;
    while (opened < 10_000 && !raw.session.closed && !raw.session.destroyed) {
      for (let index = 0; index < 100; index++) {
        const stream = raw.open('Spec');
        stream.write(framed(EMPTY));
        stream.close();
      }
      opened += 100;
      await setTimeout(1);
    }
    await serves(existing);
    expect(opened).toBeLessThan(10_000);
    expect(own.residentBytes() - before).toBeLessThan(128 * MIB);
    // Its client has not closed it, and no ping has failed.
    await until('its connection is closed', () => own.fds().length <= fds);
    await serves(existing);
  });

  test.each([
    ['as one value', { 'x-large': 'a'.repeat(60_000) }],
    [
      'as a hundred',
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x-${index}`, 'a'.repeat(500)])),
    ],
    [
      'as five thousand',
      Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`x-${index}`, 'a'])),
    ],
  ])('that sends tens of kilobytes of metadata, %s, is rejected', async (_, headers) => {
    const fds = daemon.fds().length;
    using raw = new RawHttp2(daemon.socket);
    const { grpcStatus } = await raw.request('GetServerInfo', EMPTY, headers);
    expect(grpcStatus).not.toBe(status.OK);
    await serves();
    raw.session.destroy();
    await recovers(fds);
  });

  test.each([
    ['a field longer than the message', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f])],
    ['a group without end', Buffer.alloc(10_000, 0x0b)],
    ['a varint without end', Buffer.alloc(64, 0xff)],
    ['the field number 0', Buffer.from([0x00, 0x01])],
    ['text that is not UTF-8', Buffer.from([0x1a, 0x02, 0xc3, 0x28])],
  ])('that sends %s gets INVALID_ARGUMENT', async (_, message) => {
    using raw = new RawHttp2(daemon.socket);
    expect(await raw.request('Spec', message)).toMatchObject({ grpcStatus: status.INVALID_ARGUMENT });
    await serves();
  });

  test('that announces a message over the limit is rejected before the message arrives', async () => {
    using raw = new RawHttp2(daemon.socket);
    const stream = raw.open('LoadHandle');
    const head = Buffer.alloc(5);
    head.writeUInt32BE(0xffff_ffff, 1);
    const trailers = once(stream, 'response');
    stream.write(head);
    const [received] = (await trailers) as [{ 'grpc-status'?: string }];
    expect(Number(received['grpc-status'])).toBe(status.RESOURCE_EXHAUSTED);
    await serves();
  });

  test('that names files outside of the kernel’s BTF folder finds nothing', async () => {
    for (const value of [
      '../../etc/passwd',
      '/etc/passwd',
      '..',
      '.',
      'vmlinux/../vmlinux',
      'vmlinux\0',
      'a'.repeat(10_000),
    ]) {
      const read = async () => {
        for await (const answer of honest.stream('spec', { source: { case: 'name', value } })) void answer;
      };
      expect(errorInfoOf(await failureOf(read())).reason).toBe('NAME_NOT_FOUND');
    }
  });

  test('whose BTF prints without bound gets OUTPUT_TOO_LARGE while others are served', async () => {
    const source = { case: 'rawBtf', value: explosiveBtf(28) } as const;
    const { result } = await honest.call('loadHandle', { source });
    const token = result.case === 'handle' ? result.value.token : '';
    const before = daemon.residentBytes();
    const read = async () => {
      for await (const answer of honest.stream('spec', {
        source: { case: 'handle', value: token },
        encoding: 3,
      }))
        void answer;
    };
    const reading = failureOf(read());
    await serves();
    expect(errorInfoOf(await reading).reason).toBe('OUTPUT_TOO_LARGE');
    expect(daemon.residentBytes() - before).toBeLessThan(256 * MIB);
    await serves();
  });

  test('whose BTF has paths without bound gets errors while others are served', async () => {
    const source = { case: 'rawBtf', value: explosiveBtf(28) } as const;
    const { result } = await honest.call('loadHandle', { source });
    const token = result.case === 'handle' ? result.value.token : '';
    const paths = Array.from({ length: 1_000 }, (_, index) => `outer.no_such_${index}`);
    const searching = honest.call('resolveMembers', { source: { case: 'handle', value: token }, paths });
    await serves();
    const { results } = await searching;
    expect(new Set(results.map(({ result: { case: which } }) => which))).toEqual(new Set(['error']));
    await serves();
  });

  test('with the largest and most expensive selections takes turns with others', async () => {
    const selection = {
      names: Array.from({ length: 1_000 }, (_, index) => `no_such_name_${index}`),
      nameGlobs: Array.from({ length: 100 }, (_, index) => `${'*a'.repeat(100)}${index}`),
      ids: Array.from({ length: 4_000 }, (_, index) => index),
    };
    const read = async () => {
      for await (const answer of honest.stream('spec', {
        source: { case: 'name', value: 'vmlinux' },
        encoding: 2,
        selection,
      }))
        void answer;
    };
    const reading = Promise.all([read(), read(), read()]);
    for (let round = 0; round < 5; round++) await serves();
    await reading;
  });
});
