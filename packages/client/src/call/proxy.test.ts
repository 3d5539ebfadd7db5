import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setLogger } from '@grpc/grpc-js';
import { BtfClient } from '../client.js';
import type { BtfClientOptions } from './client-options.js';
import { FakeDaemon } from '../fake-daemon/index.js';
import { rejection } from '../testing/promises.js';
import { tinyBtf } from '../testing/tiny-btf.js';
import { isLoopback } from './proxy.js';

const { env } = process;
/** A host that no resolver is asked for: only the proxy would have to connect to it. */
const ADDRESS = 'daemon.invalid:7443';

/** A proxy that takes CONNECT. `answer` gets the socket and the request. */
class TestProxy {
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(answer: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', (data) => {
        this.requests.push(data.toString());
        answer(socket);
      });
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '';
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

let daemon: FakeDaemon;
let proxy: TestProxy | null = null;

beforeEach(async () => {
  // grpc-js also logs these failures.
  setLogger({ error: jest.fn() });
  daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: tinyBtf('u32') }] });
});

afterEach(async () => {
  process.env = env;
  await proxy?.stop();
  proxy = null;
  await daemon.stop();
});

async function useProxy(answer: (socket: Socket) => void, variable = 'http_proxy'): Promise<string> {
  proxy = new TestProxy(answer);
  const address = await proxy.start();
  process.env = { ...env, [variable]: `http://user:p%40ss@${address}` };
  return address;
}

async function failureOf(address: string, options: BtfClientOptions = {}): Promise<unknown> {
  const client = new BtfClient(address, { retries: 0, ...options });
  try {
    return await rejection(client.listObjects());
  } finally {
    await client.close();
  }
}

const refuse = (socket: Socket) => void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');

describe('a proxy in the environment', () => {
  test('connects to the daemon', async () => {
    await useProxy((socket) => {
      const [host = '', port = ''] = daemon.address.split(':');
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      socket.once('close', () => onward.destroy());
    });
    const client = new BtfClient(ADDRESS);
    expect((await client.listObjects()).map(({ name }) => name)).toEqual(['vmlinux']);
    await client.close();
    expect(proxy?.requests).toEqual([expect.stringMatching(/^CONNECT daemon\.invalid:7443 HTTP/)]);
  });

  test.each(['http_proxy', 'https_proxy', 'grpc_proxy'])('that refuses is named, of %s', async (variable) => {
    const address = await useProxy(refuse, variable);
    const why = `the proxy ${address} of ${variable}: it refused to connect, with status 403`;
    expect(await failureOf(ADDRESS)).toMatchObject({
      reason: 'UNREACHABLE',
      rawMessage: `the daemon at ${ADDRESS} cannot be reached through ${why}`,
    });
    const basic = Buffer.from('user:p@ss').toString('base64');
    for (const request of proxy?.requests ?? []) expect(request).toContain(`Basic ${basic}`);
  });

  test('that is not there is reported with the cause', async () => {
    process.env = { ...env, http_proxy: 'http://127.0.0.1:9' };
    expect(await failureOf(ADDRESS)).toMatchObject({
      reason: 'UNREACHABLE',
      rawMessage: expect.stringMatching(
        /through the proxy 127\.0\.0\.1:9 of http_proxy: connect ECONNREFUSED/,
      ),
    });
  });

  test('that does not respond is named when the time is over', async () => {
    const address = await useProxy(() => {});
    const client = new BtfClient(ADDRESS, { retries: 0, timeout: 300 });
    const error = await rejection(client.serverInfo());
    await proxy?.stop();
    await client.close();
    expect(error).toMatchObject({
      codeName: 'DEADLINE_EXCEEDED',
      rawMessage: expect.stringContaining(
        `the proxy ${address} of http_proxy has not connected to the daemon`,
      ),
    });
    proxy = null;
  });

  test('is not used for this machine, nor for hosts in no_proxy', async () => {
    await useProxy(refuse);
    const client = new BtfClient(daemon.address);
    expect(await client.listObjects()).toHaveLength(1);
    await client.close();
    process.env['no_proxy'] = 'daemon.invalid';
    expect(await failureOf(ADDRESS)).toMatchObject({
      rawMessage: expect.stringMatching(/cannot be reached: the name daemon\.invalid cannot be resolved$/),
    });
    expect(proxy?.requests).toEqual([]);
  });

  test('is used for this machine if the caller says so', async () => {
    const address = await useProxy(refuse);
    const channelOptions = { 'grpc.enable_http_proxy': 1 };
    expect(await failureOf(daemon.address, { channelOptions })).toMatchObject({
      rawMessage: expect.stringContaining(`through the proxy ${address}`),
    });
  });

  test('ends with the signal of the call', async () => {
    await useProxy(() => {});
    const client = new BtfClient(ADDRESS, { retries: 0 });
    const reason = new Error('enough');
    const ending = new AbortController();
    const listed = rejection(client.listObjects({ signal: ending.signal }));
    ending.abort(reason);
    expect(await listed).toBe(reason);
    await proxy?.stop();
    await client.close();
    proxy = null;
  });
});

test.each([
  ['127.0.0.1:1', true],
  ['127.9.9.9:1', true],
  ['localhost:1', true],
  ['[::1]:1', true],
  ['dns:localhost:1', true],
  ['dns:///localhost:1', true],
  ['ipv4:127.0.0.1:1', true],
  ['unix:/run/btfd.sock', false],
  ['localhost.example:1', false],
  ['127.0.0.1.example:1', false],
  ['10.0.0.1:1', false],
  ['[::2]:1', false],
])('%s is on this machine: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
