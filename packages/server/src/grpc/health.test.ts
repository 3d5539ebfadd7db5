import { join } from 'node:path';
import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { grpcFrame, Http2Client } from '../testing/http2-client.js';
import { TempDir } from '../testing/temp-dir.js';
import { Health } from './health.js';

/** A HealthCheckRequest with a short name. */
const request = (name: string) => grpcFrame(Buffer.from([0x0a, name.length, ...Buffer.from(name)]));
const SERVING = [...grpcFrame(new Uint8Array([8, 1]))];
const NOT_SERVING = [...grpcFrame(new Uint8Array([8, 2]))];
const SERVICE_UNKNOWN = [...grpcFrame(new Uint8Array([8, 3]))];

/** Serves health on a socket while `use` runs. */
async function serving(use: (health: Health, path: string) => Promise<void>): Promise<void> {
  using dir = new TempDir();
  const path = join(dir.path, 'socket');
  const health = new Health(new Map([['', true]]));
  const server = new Server();
  health.addToServer(server);
  await new Promise<void>((resolve) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), () => resolve());
  });
  try {
    await use(health, path);
  } finally {
    server.forceShutdown();
  }
}

async function watch(client: Http2Client, name: string, headers: Readonly<Record<string, string>> = {}) {
  const stream = client.call('/grpc.health.v1.Health/Watch', headers);
  stream.end(request(name));
  const [first] = await once(stream, 'data');
  return { stream, first: [...first] };
}

test('A watch of health gets the changes of a served name, and one of another name leaves nothing in memory', async () => {
  await serving(async (health, path) => {
    using client = new Http2Client(path);
    for (const name of ['one', 'two']) expect((await watch(client, name)).first).toEqual(SERVICE_UNKNOWN);
    const known = await watch(client, '');
    expect(known.first).toEqual(SERVING);
    expect(health.watchCount).toBe(1);
    health.notServing();
    const [second] = await once(known.stream, 'data');
    expect([...second]).toEqual(NOT_SERVING);
  });
});

test.each<[string, Record<string, string>, (stream: ClientHttp2Stream) => unknown]>([
  ['is cancelled', {}, (stream) => stream.close()],
  ['loses its connection', {}, ({ session }) => session?.destroy()],
  ['has passed its deadline', { 'grpc-timeout': '200m' }, () => {}],
])('A watch of health is forgotten when it %s', async (_, headers, end) => {
  await serving(async (health, path) => {
    using client = new Http2Client(path);
    const { stream } = await watch(client, '', headers);
    expect(health.watchCount).toBe(1);
    end(stream);
    while (health.watchCount > 0) await setImmediate();
    health.notServing();
  });
});
