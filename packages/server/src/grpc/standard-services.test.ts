import { once } from 'node:events';
import { create, toBinary } from '@bufbuild/protobuf';
import { ServerReflectionRequestSchema } from '@btfd/api/grpc-services';
import { status } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { grpcFrame, Http2Client } from '../testing/http2-client.js';
import { ServedDaemon } from '../testing/served-daemon.js';

const WATCH = '/grpc.health.v1.Health/Watch';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

/** The frame of a question of reflection. */
const question = (value: string) =>
  grpcFrame(
    toBinary(
      ServerReflectionRequestSchema,
      create(ServerReflectionRequestSchema, { messageRequest: { case: 'fileContainingSymbol', value } }),
    ),
  );

/** Begins a call, and returns its first response, and the status that it has when its stream has closed; null for none. */
function begin(client: Http2Client, path: string, headers: Readonly<Record<string, string>> = {}) {
  const stream = client.call(path, headers);
  let code: number | null = null;
  stream.once('trailers', (trailers) => (code = Number(trailers['grpc-status'])));
  const first = once(stream, 'data');
  const end = once(stream, 'close').then(() => code);
  return { stream, first, end };
}

test('At shutdown the streams of health and reflection end at once, with a status', async () => {
  // Longer than a test may take.
  await using daemon = await ServedDaemon.start(true, { limits: { drainMs: 3_600_000 } });
  using client = new Http2Client(daemon.path);
  const watch = begin(client, WATCH);
  watch.stream.end(grpcFrame(new Uint8Array()));
  const unknown = begin(client, WATCH);
  unknown.stream.end(grpcFrame(Buffer.from('\n\x01x')));
  // Its client may ask more.
  const reflection = begin(client, REFLECTION);
  reflection.stream.write(question('btf.v1.Type'));
  const all = [watch, unknown, reflection];
  await Promise.all(all.map(({ first }) => first));
  await daemon[Symbol.asyncDispose]();
  expect(await Promise.all(all.map(({ end }) => end))).toEqual(all.map(() => status.UNAVAILABLE));
});

test('A stream of reflection that may bring more requests ends with a status at its deadline', async () => {
  await using daemon = await ServedDaemon.start(true);
  using client = new Http2Client(daemon.path);
  const { stream, first, end } = begin(client, REFLECTION, { 'grpc-timeout': '300m' });
  stream.write(question('btf.v1.Type'));
  await first;
  expect(await end).toBe(status.DEADLINE_EXCEEDED);
});

test('Requests of health and reflection are small, so that those that wait for a slow reader take little memory', async () => {
  await using daemon = await ServedDaemon.start(true);
  using client = new Http2Client(daemon.path);
  for (const path of [WATCH, REFLECTION]) {
    const stream = client.call(path);
    stream.end(question('x'.repeat(5_000)));
    stream.resume();
    const [headers] = await once(stream, 'response');
    expect(headers['grpc-status']).toBe(String(status.RESOURCE_EXHAUSTED));
  }
});
