import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  BtfService,
  GetServerInfoRequestSchema,
  IterateHandlesRequestSchema,
  LoadHandleRequestSchema,
  Origin,
  SpecRequestSchema,
} from '@btfd/api';
import { describe, expect, jest, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import type { DaemonOptions } from '../daemon.js';
import { startDaemon } from '../start-daemon.js';
import { intBtf, largeBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { GrpcClient, grpcErrorOf, withResolvers } from '../testing/grpc-harness.js';
import { TempDir } from '../testing/temp-dir.js';

const INFO = create(GetServerInfoRequestSchema);
const HOLD = create(IterateHandlesRequestSchema, { hold: true });
const LOAD = create(LoadHandleRequestSchema, { source: { case: 'rawBtf', value: intBtf() } });

const GRPC_HEADERS = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };

/** The user that the tests run as, which connects. */
const OWN = `uid:${process.geteuid?.() ?? 0}`;

const policyOf = (list: string): string => `defaults: false\n${list}: ["${OWN}"]\n`;

/** A daemon whose policy file lists the user of the tests. */
async function setUp(list: string, choices: Partial<DaemonOptions> = {}) {
  const dir = new TempDir();
  const kernel = new FakeKernel();
  kernel.add('vmlinux', intBtf());
  const log: string[] = [];
  const path = join(dir.path, 'btfd.sock');
  const file = dir.write('policy.yaml', policyOf(list));
  const daemon = await startDaemon({
    addresses: [{ kind: 'unix', path }],
    btfDir: null,
    kernel,
    logger: pino({ level: 'info' }, { write: (line: string) => void log.push(line) }),
    policy: { file },
    ...choices,
  });
  const client = new GrpcClient(`unix:${path}`);
  return {
    kernel,
    log,
    path,
    daemon,
    client,
    write: (text: string) => dir.write('policy.yaml', text),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await daemon.stop();
      dir[Symbol.dispose]();
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('A policy that is reloaded', () => {
  test('ends a stream whose caller lost its role, and closes the handles that it held', async () => {
    await using served = await setUp('viewers');
    const stream = served.client.stream('iterateHandles', HOLD);
    await once(stream, 'data');
    expect(served.kernel.openCount).toBe(1);
    const ended = once(stream, 'error');
    served.write('defaults: false');
    expect(await served.daemon.reload()).toBe(true);
    expect(await ended).toEqual([expect.objectContaining({ code: status.PERMISSION_DENIED })]);
    await until(() => served.kernel.openCount === 0);
    const refused = await grpcErrorOf(served.client.unary('getServerInfo', INFO).answer);
    expect([refused.code, refused.details]).toEqual([
      status.PERMISSION_DENIED,
      `${OWN} has no role; GetServerInfo needs viewer`,
    ]);
  });

  test('ends only the stream that needed the lost role', async () => {
    await using served = await setUp('inspectors');
    const id = served.kernel.addUsers(intBtf());
    const withUsers = served.client.stream('iterateHandles', HOLD);
    const users = once(withUsers, 'error');
    await once(withUsers, 'data');
    const noUsers = served.client.stream(
      'iterateHandles',
      create(IterateHandlesRequestSchema, { hold: true, origins: [Origin.VMLINUX] }),
    );
    noUsers.on('error', () => {});
    await once(noUsers, 'data');
    await until(() => served.kernel.openCount === 3);
    served.write(policyOf('viewers'));
    await served.daemon.reload();
    expect(await users).toEqual([
      expect.objectContaining({ details: `${OWN} has the role viewer; IterateHandles needs inspector` }),
    ]);
    await until(() => served.kernel.openCount === 1);
    expect(noUsers.destroyed).toBe(false);
    noUsers.cancel();
    const spec = served.client.stream(
      'spec',
      create(SpecRequestSchema, { source: { case: 'id', value: id } }),
    );
    spec.resume();
    expect(await once(spec, 'error')).toEqual([
      expect.objectContaining({
        details: `${OWN} has the role viewer; an object that a user loaded needs inspector`,
      }),
    ]);
  });

  test('drops a load that waits', async () => {
    await using served = await setUp('loaders');
    const gate = withResolvers();
    served.kernel.loadGate = gate.promise;
    const probes = served.kernel.loads.length;
    const loads = [1, 2].map(() => served.client.unary('loadHandle', LOAD).answer);
    await until(() => served.kernel.loads.length === probes + 1);
    served.write(policyOf('viewers'));
    await served.daemon.reload();
    for (const load of loads) expect((await grpcErrorOf(load)).code).toBe(status.PERMISSION_DENIED);
    gate.resolve();
    await until(() => served.kernel.openCount === 0);
    expect(served.kernel.loads.length).toBe(probes + 1);
  });

  test('lets a caller who may no longer see users’ objects only close its handles on them', async () => {
    await using served = await setUp('loaders');
    const { result } = await served.client.unary('loadHandle', LOAD).answer;
    if (result.case !== 'handle') throw new Error('not loaded');
    const { token } = result.value;
    served.write(policyOf('viewers'));
    await served.daemon.reload();
    const { method } = BtfService;
    const info = served.client.unary('getHandleInfo', create(method.getHandleInfo.input, { token }));
    expect((await grpcErrorOf(info.answer)).code).toBe(status.PERMISSION_DENIED);
    const tokens = [token];
    const renewed = await served.client.unary('renewHandles', create(method.renewHandles.input, { tokens }))
      .answer;
    expect(renewed.results.map(({ open }) => open)).toEqual([false]);
    const closed = await served.client.unary('closeHandles', create(method.closeHandles.input, { tokens }))
      .answer;
    expect([closed.wasOpen, served.kernel.openCount]).toEqual([[true], 0]);
  });

  test('that is invalid changes nothing, and is logged with its place', async () => {
    await using served = await setUp('viewers');
    served.write(`${policyOf('viewers')}\nvewers: []`);
    expect(await served.daemon.reload()).toBe(false);
    expect(served.log.join('')).toMatch(/policy\.yaml:4: unknown key \\"vewers\\"; did you mean viewers\?/);
    expect((await served.client.unary('getServerInfo', INFO).answer).version).not.toBe('');
  });

  test('takes effect when its file changes', async () => {
    await using served = await setUp('viewers', { limits: { reloadPollMs: 10 } });
    const stream = served.client.stream('iterateHandles', HOLD);
    const ended = once(stream, 'error');
    await once(stream, 'data');
    served.write('defaults: false');
    await ended;
  });

  test('resets the stream of a client that does not read, which cannot get the status', async () => {
    await using served = await setUp('viewers');
    const id = served.kernel.add('vmlinux', largeBtf());
    const session = connectHttp2('http://localhost', {
      createConnection: () => connect(served.path),
      settings: { initialWindowSize: 0 },
    });
    const request = session.request({ ...GRPC_HEADERS, ':path': '/btf.v1.BtfService/Spec' });
    const closed = once(request, 'close');
    const message = toBinary(
      SpecRequestSchema,
      create(SpecRequestSchema, { source: { case: 'id', value: id } }),
    );
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    request.end(Buffer.concat([head, message]));
    request.on('error', () => {}).pause();
    await once(request, 'response');
    served.write('defaults: false');
    await served.daemon.reload();
    await closed;
    expect(request.rstCode).toBe(constants.NGHTTP2_CANCEL);
    session.destroy();
  });
});

describe('A daemon', () => {
  test('does not start with an invalid policy', async () => {
    await expect(setUp('viewers', { policy: { loaders: ['root'] } })).rejects.toThrow(
      'loaders: "root" is not a principal',
    );
    using dir = new TempDir();
    const file = join(dir.path, 'policy.yaml');
    await expect(setUp('viewers', { policy: { file } })).rejects.toThrow(
      `cannot use the policy ${file}: ENOENT: no such file or directory`,
    );
  });

  test('does not start with unusable TLS files', async () => {
    using dir = new TempDir();
    const fileOf = (name: string): string => join(dir.path, name);
    const tls = { cert: fileOf('crt'), key: fileOf('key'), clientCa: fileOf('ca') };
    await expect(setUp('viewers', { tls })).rejects.toThrow(`cannot use the certificate ${tls.cert}`);
  });

  test('refuses TCP without TLS, unless it is on loopback and allowed', async () => {
    const tcp = (host: string) => [{ kind: 'tcp' as const, host, port: 0 }];
    await expect(setUp('viewers', { addresses: tcp('127.0.0.1') })).rejects.toThrow('has no TLS');
    const wide = setUp('viewers', { addresses: tcp('0.0.0.0'), insecure: true });
    await expect(wide).rejects.toThrow('is not loopback');
  });

  test('makes callers on loopback TCP anonymous viewers', async () => {
    await using served = await setUp('viewers', {
      addresses: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
      insecure: true,
      policy: {},
    });
    const [address] = served.daemon.addresses;
    if (address?.kind !== 'tcp') throw new Error('no TCP');
    using client = new GrpcClient(`127.0.0.1:${address.port}`);
    expect((await client.unary('getServerInfo', INFO).answer).version).not.toBe('');
    expect((await grpcErrorOf(client.unary('loadHandle', LOAD).answer)).details).toBe(
      'anonymous has the role viewer; LoadHandle needs loader',
    );
  });

  test('refuses a call on its metadata, before its message, and ignores headers that name a caller', async () => {
    await using served = await setUp('viewers');
    const session = connectHttp2('http://localhost', { createConnection: () => connect(served.path) });
    // The message is never sent.
    const request = session.request({
      ...GRPC_HEADERS,
      ':path': '/btf.v1.BtfService/LoadHandle',
      principal: 'uid:0',
      authorization: 'uid:0',
      'x-forwarded-client-cert': 'URI=spiffe://x/loader',
    });
    const [headers]: Record<string, string>[] = await once(request, 'response');
    expect([headers?.['grpc-status'], decodeURI(headers?.['grpc-message'] ?? '')]).toEqual([
      String(status.PERMISSION_DENIED),
      `${OWN} has the role viewer; LoadHandle needs loader`,
    ]);
    session.destroy();
  });

  test('closes a silent connection, and keeps one open between calls', async () => {
    await using served = await setUp('viewers', { limits: { handshakeMs: 500 } });
    await served.client.unary('getServerInfo', INFO).answer;
    const silent: Socket = connect(served.path).resume();
    await once(silent, 'close');
    const before = served.client.unary('getServerInfo', INFO);
    expect((await before.answer).version).not.toBe('');
  });
});

test('A peer that the kernel does not name is refused', async () => {
  await using served = await setUp('loaders');
  jest.spyOn(Reflect, 'get').mockReturnValue(null);
  using client = new GrpcClient(`unix:${served.path}`);
  const error = await grpcErrorOf(client.unary('getServerInfo', INFO).answer);
  jest.restoreAllMocks();
  expect([error.code, error.details]).toEqual([
    status.UNAUTHENTICATED,
    'the kernel does not say who connected: the connection has no file descriptor',
  ]);
});
