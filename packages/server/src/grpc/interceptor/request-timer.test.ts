import { constants } from 'node:http2';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Metadata, status, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { requestTimer } from './request-timer.js';

const MS = 1_000;

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

/** A call whose client does what the test says. */
function begin(requestStream: boolean) {
  const sent: unknown[] = [];
  const resets: unknown[] = [];
  let told: Listener | null = null;
  const bottom = {
    stream: { close: (code: number) => resets.push(code) },
    start: (listener) => {
      told = listener;
    },
    sendStatus: ({ code, details }) => {
      sent.push([code, details]);
      told?.onCancel();
    },
    sendMetadata: () => {},
    sendMessage: () => {},
    startRead: () => {},
    getPeer: () => '',
    getDeadline: () => Infinity,
    getHost: () => '',
    getAuthContext: () => ({}),
    getConnectionInfo: () => ({}),
    getMetricsRecorder: () => {
      throw new Error('is not there');
    },
  } satisfies ServerInterceptingCallInterface & { readonly stream: unknown };
  const method = { path: '/s/m', requestStream, responseStream: true };
  const call = requestTimer(MS)(
    { ...method, requestDeserialize: String, responseSerialize: () => Buffer.alloc(0) },
    bottom,
  );
  const ignore = (): void => {};
  call.start({
    onReceiveMetadata: ignore,
    onReceiveMessage: ignore,
    onReceiveHalfClose: ignore,
    onCancel: ignore,
  });
  const client = told as Listener | null;
  if (client === null) throw new Error('the call was not started');
  client.onReceiveMetadata(new Metadata());
  return { client, call, sent, resets };
}

describe('A request', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const LATE = [[status.RESOURCE_EXHAUSTED, `the request did not come within ${MS} ms`]];

  test('that came in time may take as long as it likes from then on, and keeps its stream', () => {
    const { client, call, sent, resets } = begin(false);
    jest.advanceTimersByTime(MS - 1);
    client.onReceiveMessage('m');
    client.onReceiveHalfClose();
    jest.advanceTimersByTime(10 * MS);
    expect(sent).toEqual([]);
    call.sendStatus({ code: status.OK, details: '' });
    expect([sent, resets]).toEqual([[[status.OK, '']], []]);
  });

  test('whose message came without its end is late', () => {
    const { client, sent, resets } = begin(false);
    client.onReceiveMessage('m');
    jest.advanceTimersByTime(MS);
    expect([sent, resets]).toEqual([LATE, [constants.NGHTTP2_NO_ERROR]]);
  });

  test('of several messages is late where the first does not come', () => {
    const { sent } = begin(true);
    jest.advanceTimersByTime(MS);
    expect(sent).toEqual(LATE);
  });

  test('of several messages has time without bound behind the first', () => {
    const { client, call, sent } = begin(true);
    client.onReceiveMessage('m');
    jest.advanceTimersByTime(10 * MS);
    expect(sent).toEqual([]);
    call.sendStatus({ code: status.OK, details: '' });
  });

  test('whose client goes is not waited for', () => {
    const { client, sent } = begin(false);
    client.onCancel();
    jest.advanceTimersByTime(MS);
    expect(sent).toEqual([]);
  });
});
