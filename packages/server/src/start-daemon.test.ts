import { once } from 'node:events';
import { existsSync, linkSync, readdirSync, renameSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import {
  GetHandleByIdRequestSchema,
  GetServerInfoRequestSchema,
  IterateHandlesRequestSchema,
  LoadHandleRequestSchema,
  Mode,
  SpecRequestSchema,
} from '@btfd/api';
import { Client, credentials, status, type ClientReadableStream } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { pino } from 'pino';
import type { DaemonOptions } from './daemon.js';
import { startDaemon } from './start-daemon.js';
import { formatAddress, parseAddress } from './base/address.js';
import { intBtf, largeBtf } from './testing/btf-bytes.js';
import { bpfError, FakeKernel } from './testing/fake-kernel.js';
import { GrpcClient, grpcErrorOf, withResolvers } from './testing/grpc-harness.js';
import { TempDir } from './testing/temp-dir.js';

const INFO = create(GetServerInfoRequestSchema);
const HOLD = create(IterateHandlesRequestSchema, { hold: true });
const VMLINUX = create(SpecRequestSchema, { source: { case: 'name', value: 'vmlinux' } });
const LOAD = create(LoadHandleRequestSchema, { source: { case: 'rawBtf', value: intBtf() } });

/** Audit lines come at every level. */
function isAudit(line: string): boolean {
  return line.includes('"audit":true');
}

async function setUp(choices: Partial<DaemonOptions> = {}) {
  const dir = new TempDir();
  const kernel = new FakeKernel();
  const id = kernel.add('vmlinux', intBtf());
  const log: string[] = [];
  const path = join(dir.path, 'run', 'btfd.sock');
  const daemon = await startDaemon({
    addresses: [{ kind: 'unix', path }],
    btfDir: null,
    kernel,
    logger: pino({ level: 'warn' }, { write: (line) => void (isAudit(line) || log.push(line)) }),
    ...choices,
  });
  const clients: Disposable[] = [];
  return {
    kernel,
    id,
    log,
    path,
    daemon,
    client: () => {
      const client = new GrpcClient(`unix:${path}`);
      clients.push(client);
      return client;
    },
    watchHealth: () => {
      const client = new Client(`unix:${path}`, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      });
      clients.push({ [Symbol.dispose]: () => client.close() });
      const { Watch } = healthService;
      if (Watch === undefined) throw new Error('no Watch');
      return client.makeServerStreamRequest(Watch.path, Watch.requestSerialize, Watch.responseDeserialize, {
        service: 'btf.v1.BtfService',
      });
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client[Symbol.dispose]();
      await daemon.stop();
      dir[Symbol.dispose]();
    },
  };
}

/** Reads a stream to its end, and returns its messages. */
async function readAll<T>(stream: ClientReadableStream<T>, got: T[] = []): Promise<T[]> {
  stream.on('data', (message: T) => got.push(message));
  await once(stream, 'end');
  return got;
}

describe('The daemon', () => {
  test('serves on every address, and returns the actual port', async () => {
    using dir = new TempDir();
    const unix = `unix:${join(dir.path, 'a.sock')}`;
    await using served = await setUp({
      addresses: [unix, '127.0.0.1:0', '[::1]:0'].map(parseAddress),
      insecure: true,
    });
    const addresses = served.daemon.addresses.map(formatAddress);
    expect(addresses).toEqual([
      unix,
      expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/),
      expect.stringMatching(/^\[::1\]:[1-9]\d*$/),
    ]);
    for (const address of addresses) {
      using client = new GrpcClient(address);
      expect((await client.unary('getServerInfo', INFO).answer).mode).toBe(Mode.FULL);
    }
  });

  // Callers other than root may load less.
  needs('root').test('takes a LoadHandle of 16 MiB, and 64 KiB of everything else', async () => {
    await using served = await setUp();
    const client = served.client();
    const load = create(LoadHandleRequestSchema, {
      source: { case: 'rawBtf', value: new Uint8Array(16 << 20) },
    });
    expect((await client.unary('loadHandle', load).answer).result.case).toBe('handle');
    const tooLong = create(IterateHandlesRequestSchema, { nameGlobs: ['x'.repeat(65_536)] });
    const error = await grpcErrorOf(readAll(client.stream('iterateHandles', tooLong)));
    expect([error.code, error.details]).toEqual([
      status.RESOURCE_EXHAUSTED,
      expect.stringContaining('IterateHandles accepts at most 65536'),
    ]);
  });

  test('logs internal errors, and hides them from clients', async () => {
    await using served = await setUp();
    served.kernel.failures.open = new Error('a secret');
    const request = create(GetHandleByIdRequestSchema, { id: served.id });
    const error = await grpcErrorOf(served.client().unary('getHandleById', request).answer);
    expect([error.code, error.details]).toEqual([status.INTERNAL, expect.not.stringContaining('secret')]);
    expect(served.log.join('')).toContain('a secret');
    expect(served.log).toHaveLength(1);
  });

  test('closes the handles of a stream when its client goes away', async () => {
    await using served = await setUp();
    const client = served.client();
    const stream = client.stream('iterateHandles', HOLD);
    stream.on('error', () => {});
    await once(stream, 'data');
    expect(served.kernel.openCount).toBe(1);
    stream.cancel();
    while (served.kernel.openCount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(served.daemon.services.handles.size).toBe(0);
  });
});

describe('When the daemon ends', () => {
  test('streams end with UNAVAILABLE, health says NOT_SERVING, and everything is closed', async () => {
    await using served = await setUp();
    const client = served.client();
    const { answer } = client.unary('getHandleById', create(GetHandleByIdRequestSchema, { id: served.id }));
    await answer;
    const held = client.stream('iterateHandles', HOLD);
    const heldEnd = grpcErrorOf(readAll(held));
    await once(held, 'data');
    const health = served.watchHealth();
    const states: unknown[] = [];
    const healthEnd = grpcErrorOf(readAll(health, states));
    await once(health, 'data');
    expect([served.kernel.openCount, existsSync(served.path)]).toEqual([2, true]);

    const start = performance.now();
    await served.daemon.stop();
    // Neither the open watch nor idle connections delay it until the drain deadline of 10 s.
    expect(performance.now() - start).toBeLessThan(5000);

    expect(await heldEnd).toMatchObject({ code: status.UNAVAILABLE, details: 'the daemon is shutting down' });
    expect((await healthEnd).code).toBe(status.UNAVAILABLE);
    expect(states).toEqual([{ status: 'SERVING' }, { status: 'NOT_SERVING' }]);
    expect([served.kernel.openCount, served.daemon.services.handles.size]).toEqual([0, 0]);
    expect([existsSync(served.path), served.log]).toEqual([false, []]);
  });

  test('a transfer ends between messages, though some wait to be sent', async () => {
    const kernel = new FakeKernel();
    kernel.add('vmlinux', largeBtf());
    await using served = await setUp({ kernel });
    const transfer = served.client().stream('spec', VMLINUX);
    await once(transfer, 'readable');
    transfer.read();
    const stopped = served.daemon.stop();
    // Its reader continues.
    expect(await grpcErrorOf(readAll(transfer))).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the daemon is shutting down',
    });
    await stopped;
  });

  test('a unary call in flight may finish', async () => {
    await using served = await setUp();
    const gate = withResolvers();
    served.kernel.loadGate = gate.promise;
    const before = served.kernel.loads.length;
    const { answer } = served.client().unary('loadHandle', LOAD);
    while (served.kernel.loads.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    const stopped = served.daemon.stop();
    gate.resolve();
    expect((await answer).result.case).toBe('handle');
    await stopped;
    expect([served.kernel.openCount, served.log]).toEqual([0, []]);
  });

  test('a load that waits for another is dropped, and never begins', async () => {
    await using served = await setUp({ limits: { drainMs: 50 } });
    const gate = withResolvers();
    served.kernel.loadGate = gate.promise;
    const before = served.kernel.loads.length;
    const first = served.client().unary('loadHandle', LOAD).answer;
    while (served.kernel.loads.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = served.client().unary('loadHandle', LOAD).answer;
    const ends = [grpcErrorOf(first), grpcErrorOf(second)];
    await new Promise((resolve) => setTimeout(resolve, 50));
    await served.daemon.stop();
    for (const error of await Promise.all(ends)) {
      expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'the daemon is shutting down' });
    }
    gate.resolve();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([served.kernel.loads.length, served.kernel.openCount]).toEqual([before + 1, 0]);
  });

  test('the object of a load that outlasts the drain is closed', async () => {
    await using served = await setUp({ limits: { drainMs: 50 } });
    const gate = withResolvers();
    served.kernel.loadGate = gate.promise;
    const before = served.kernel.loads.length;
    const { answer } = served.client().unary('loadHandle', LOAD);
    while (served.kernel.loads.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    await served.daemon.stop();
    expect(await grpcErrorOf(answer)).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the daemon is shutting down',
    });
    gate.resolve();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([served.kernel.openCount, served.kernel.ids(), served.daemon.services.handles.size]).toEqual([
      0,
      [served.id],
      0,
    ]);
  });

  test('a second stop has no effect, and does not touch a new socket at its path', async () => {
    await using served = await setUp();
    const link = `${served.path}.link`;
    linkSync(served.path, link);
    await Promise.all([served.daemon.stop(), served.daemon.stop()]);
    expect(existsSync(served.path)).toBe(false);
    // Another process's socket, which may have got the freed inode number.
    renameSync(link, served.path);
    await served.daemon.stop();
    expect(existsSync(served.path)).toBe(true);
  });

  test('a silent connection is closed', async () => {
    await using served = await setUp({ limits: { drainMs: 50 } });
    const socket = connect(served.path).resume();
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    await served.daemon.stop();
    await closed;
  });
});

describe('A daemon that cannot start', () => {
  test('leaves nothing open if one of its addresses is in use', async () => {
    using dir = new TempDir();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const taken = other.address();
    if (taken === null || typeof taken === 'string') throw new Error('no port');
    const free = join(dir.path, 'btfd.sock');
    const kernel = new FakeKernel();
    const start = startDaemon({
      addresses: [
        { kind: 'unix', path: free },
        { kind: 'tcp', host: '127.0.0.1', port: taken.port },
      ],
      insecure: true,
      btfDir: null,
      kernel,
      logger: pino({ level: 'silent' }),
    });
    await expect(start).rejects.toMatchObject({ code: 'EADDRINUSE' });
    other.close();
    expect([readdirSync(dir.path), kernel.openCount]).toEqual([[], 0]);
  });

  test('reports the kernel’s error', async () => {
    const kernel = new FakeKernel();
    kernel.failures.load = bpfError('BPF_BTF_LOAD', 'ENOMEM');
    await expect(setUp({ kernel })).rejects.toThrow('ENOMEM');
  });
});
