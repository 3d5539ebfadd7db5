import { join } from 'node:path';
import { once } from 'node:events';
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

test('A watch of health gets the changes of a served name, and one of another name leaves nothing in memory', async () => {
  using dir = new TempDir();
  const path = join(dir.path, 'socket');
  const health = new Health(new Map([['', true]]));
  const server = new Server();
  health.addToServer(server);
  await new Promise<void>((resolve) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), () => resolve());
  });
  try {
    using client = new Http2Client(path);
    const watch = async (name: string) => {
      const stream = client.call('/grpc.health.v1.Health/Watch');
      stream.end(request(name));
      const [first] = await once(stream, 'data');
      return { stream, first: [...first] };
    };
    for (const name of ['one', 'two']) expect((await watch(name)).first).toEqual(SERVICE_UNKNOWN);
    const known = await watch('');
    expect(known.first).toEqual(SERVING);
    expect(health.watchCount).toBe(1);
    health.notServing();
    const [second] = await once(known.stream, 'data');
    expect([...second]).toEqual(NOT_SERVING);
    known.stream.close();
    while (health.watchCount > 0) await setImmediate();
  } finally {
    server.forceShutdown();
  }
});
