import { once } from 'node:events';
import { constants, type ClientHttp2Stream } from 'node:http2';
import { create, toBinary, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfService } from '@btfd/api';
import { DaemonProcess } from './testing/daemon-process.js';
import { RawClient } from './testing/raw-client.js';
import { framed, RawHttp2 } from './testing/raw-http2.js';
import { intBtf } from './testing/sample-btf.js';
import { Scrape } from './testing/scrape.js';
import { until } from './testing/until.js';

const ARGS = ['--metrics-listen', '127.0.0.1:0', '--log-format', 'json'];

/** A moment at which a client leaves. */
interface Moment {
  readonly name: string;
  /** Whether the lease is granted by then; null if it may be. */
  readonly leased: boolean | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** The client reads the response. Default: nothing after its metadata, so that its status cannot leave. */
  readonly reads?: true;
  /** Makes the request, and leaves. */
  readonly leave: (stream: ClientHttp2Stream, request: Buffer) => Promise<void> | void;
}

function cancel(stream: ClientHttp2Stream): void {
  stream.close(constants.NGHTTP2_CANCEL);
}

const MOMENTS: readonly Moment[] = [
  { name: 'before-request', leased: false, leave: (stream) => cancel(stream) },
  {
    name: 'within-request',
    leased: false,
    leave: (stream, request) =>
      void stream.write(request.subarray(0, request.length - 1), () => cancel(stream)),
  },
  {
    name: 'before-end-of-request',
    // Node's client may end the request before it resets the stream.
    leased: null,
    leave: (stream, request) => void stream.write(request, () => cancel(stream)),
  },
  {
    name: 'with-end-of-request',
    leased: null,
    leave(stream, request) {
      stream.end(request);
      cancel(stream);
    },
  },
  {
    name: 'after-request',
    leased: null,
    leave: (stream, request) => void stream.end(request, () => cancel(stream)),
  },
  {
    name: 'at-deadline',
    leased: null,
    headers: { 'grpc-timeout': '200m' },
    leave: (stream, request) => void stream.end(request),
  },
  {
    name: 'before-message',
    leased: true,
    async leave(stream, request) {
      stream.end(request);
      await once(stream, 'response');
      cancel(stream);
    },
  },
  {
    name: 'with-connection',
    leased: true,
    async leave(stream, request) {
      stream.end(request);
      await once(stream, 'response');
      stream.session?.destroy();
    },
  },
  {
    name: 'after-message',
    leased: true,
    reads: true,
    async leave(stream, request) {
      stream.end(request);
      await once(stream, 'data');
      cancel(stream);
    },
  },
  { name: 'never', leased: true, reads: true, leave: (stream, request) => void stream.resume().end(request) },
];

function wire<I extends DescMessage>({ input }: { readonly input: I }, init: MessageInitShape<I>): Buffer {
  return framed(toBinary(input, create(input, init)));
}

/** Loads as many objects as there are moments, and returns their ids and the tokens of their leases. */
async function loadObjects(client: RawClient) {
  const objects: { readonly id: number; readonly token: string }[] = [];
  for (const index of MOMENTS.keys()) {
    const source = { case: 'rawBtf', value: intBtf(index + 1, 'audited') } as const;
    const { result } = await client.call('loadHandle', { source });
    if (result.case !== 'handle') throw new Error('no handle');
    objects.push({ id: result.value.info?.id ?? 0, token: result.value.token });
  }
  return objects;
}

/** Reads tokens that a stream holds, as many as there are moments. The stream remains open. */
async function holdTokens(client: RawClient, afterId: number) {
  const stream = client.stream('iterateHandles', { hold: true, afterId }).on('error', () => {});
  const tokens: string[] = [];
  stream.on('data', ({ handle }) => tokens.push(handle?.token ?? ''));
  await until('the stream holds enough', () => tokens.length >= MOMENTS.length);
  return { tokens, [Symbol.dispose]: () => stream.cancel() };
}

async function makeAndLeave(
  socket: string,
  method: string,
  { name, reads, headers, leave }: Moment,
  request: Buffer,
) {
  using client = new RawHttp2(socket, reads ? {} : { initialWindowSize: 0 });
  const stream = client.open(method, { ...headers, 'x-request-id': `${method}:${name}` });
  const closed = new Promise((resolve) => stream.once('close', resolve));
  await leave(stream, request);
  await closed;
  // The daemon has read everything before it, unless the client has closed the connection.
  if (!client.session.destroyed) await new Promise((resolve) => client.session.ping(resolve));
}

needs('bpf', 'python3-prometheus-client').test(
  'Each lease has a line in the audit log, whenever its client leaves',
  async () => {
    await using daemon = await DaemonProcess.start({ args: ARGS });
    using client = new RawClient(daemon.address);
    const objects = await loadObjects(client);
    using held = await holdTokens(client, Math.min(...objects.map(({ id }) => id)) - 1);
    const { method } = BtfService;
    const requests = {
      LoadHandle: () => wire(method.loadHandle, { source: { case: 'rawBtf', value: intBtf(30, 'audited') } }),
      GetHandleById: (index: number) => wire(method.getHandleById, { id: objects[index]?.id ?? 0 }),
      TakeHandle: (index: number) => wire(method.takeHandle, { token: held.tokens[index] ?? '' }),
      CloneHandle: (index: number) => wire(method.cloneHandle, { token: objects[index]?.token ?? '' }),
    };
    for (const [name, request] of Object.entries(requests)) {
      for (const [index, moment] of MOMENTS.entries())
        await makeAndLeave(daemon.socket, name, moment, request(index));
    }
    const scraped = () => Scrape.of(daemon.metricsUrl);
    // The stream that holds handles remains.
    await until('every call has ended', async () => (await scraped()).sum('btfd_rpc_in_flight') === 1);
    const leases = (await scraped()).sum('btfd_leases_granted_total');
    await daemon.end();

    const audit = daemon.log.text
      .split('\n')
      .filter((line) => line.includes('"audit":true'))
      .map((line): Record<string, unknown> => JSON.parse(line));
    const granted = audit.filter(({ outcome }) => outcome === 'granted');
    const lineOf = (requestId: string) => granted.find((line) => line['requestId'] === requestId);
    for (const name of Object.keys(requests)) {
      for (const moment of MOMENTS) {
        const id = `${name}:${moment.name}`;
        if (moment.leased !== null) expect([id, lineOf(id) !== undefined]).toEqual([id, moment.leased]);
      }
      expect(lineOf(`${name}:before-message`)).toMatchObject({
        action: name === 'LoadHandle' ? 'load' : 'take',
        code: 'CANCELLED',
        btfId: expect.any(Number),
        btfBytes: expect.any(Number),
      });
      expect(lineOf(`${name}:never`)).toMatchObject({ code: 'OK' });
    }
    expect(granted).toHaveLength(leases);
  },
);
