import { once } from 'node:events';
import { constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { Metadata, status, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { ServiceError } from '../../error/service-error.js';
import { callsByRoot } from '../../testing/calls.js';
import { withResolvers } from '../../testing/grpc-harness.js';
import { Call } from './call.js';

const MS = 1_000;

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

interface Choices {
  readonly requestStream?: boolean;
  readonly deadline?: Date | number;
  /** Whether the stream is closed before its metadata is passed on. */
  readonly resetAtOnce?: boolean;
  /** Whether a status arrives at the client, which closes the stream. Default: true. */
  readonly reads?: boolean;
}

/** A call that has begun, unless it was reset at once. The test controls its client. */
function start({
  requestStream = false,
  deadline = Infinity,
  resetAtOnce = false,
  reads = true,
}: Choices = {}) {
  const sent: unknown[] = [];
  const resets: unknown[] = [];
  let listener: Listener | null = null;
  const transport = {
    stream: { close: (code: number) => resets.push(code) },
    start: (started) => {
      listener = started;
    },
    sendStatus: ({ code, details }) => {
      sent.push([code, details]);
      if (reads) listener?.onCancel();
    },
    sendMetadata: () => {},
    sendMessage: () => {},
    startRead: () => {},
    getPeer: () => '',
    getDeadline: () => deadline,
    getHost: () => '',
    getAuthContext: () => ({}),
    getConnectionInfo: () => ({}),
    getMetricsRecorder: () => {
      throw new Error('is not there');
    },
  } satisfies ServerInterceptingCallInterface & { readonly stream: unknown };
  const { calls, quotas, interceptor } = callsByRoot(undefined, { requestMs: MS });
  const method = { path: '/s/m', requestStream, responseStream: true };
  const link = interceptor(
    { ...method, requestDeserialize: String, responseSerialize: () => Buffer.alloc(0) },
    transport,
  );
  const handled: string[] = [];
  link.start({
    onReceiveMetadata: () => handled.push('metadata'),
    onReceiveMessage: () => handled.push('message'),
    onReceiveHalfClose: () => handled.push('end'),
    onCancel: () => handled.push('cancel'),
  });
  const client = listener as Listener | null;
  if (client === null) throw new Error('the call was not started');
  if (resetAtOnce) client.onCancel();
  client.onReceiveMetadata(new Metadata());
  if (!(link instanceof Call)) throw new Error('the interceptor does not return its call');
  return { calls, quotas, call: link, client, sent, resets, handled };
}

describe('A request', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    // All calls share one timer, which ends without them.
    jest.advanceTimersByTime(MS);
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const LATE = [[status.RESOURCE_EXHAUSTED, `the request did not arrive within ${MS} ms`]];

  test('that arrives in time has no further time limit, and keeps its stream', () => {
    const { client, call, sent, resets } = start();
    jest.advanceTimersByTime(MS - 1);
    client.onReceiveMessage('m');
    client.onReceiveHalfClose();
    jest.advanceTimersByTime(10 * MS);
    expect(sent).toEqual([]);
    call.sendStatus({ code: status.OK, details: '' });
    expect([sent, resets]).toEqual([[[status.OK, '']], []]);
  });

  test('is late if its message arrives but the end of the request does not', () => {
    const { client, sent, resets } = start();
    client.onReceiveMessage('m');
    jest.advanceTimersByTime(MS);
    // The next turn of the event loop.
    jest.advanceTimersToNextTimer();
    expect([sent, resets]).toEqual([LATE, [constants.NGHTTP2_NO_ERROR]]);
  });

  test('of several messages is late if the first does not arrive', () => {
    const { sent } = start({ requestStream: true });
    jest.advanceTimersByTime(MS);
    expect(sent).toEqual(LATE);
  });

  test('of several messages has no time limit after the first', () => {
    const { client, call, sent } = start({ requestStream: true });
    client.onReceiveMessage('m');
    jest.advanceTimersByTime(10 * MS);
    expect(sent).toEqual([]);
    call.sendStatus({ code: status.OK, details: '' });
  });

  test('that was late never reaches a handler, though the end of its stream comes after its status', () => {
    const { client, handled } = start();
    client.onReceiveMessage('m');
    jest.advanceTimersByTime(MS);
    client.onReceiveMessage('m');
    client.onReceiveHalfClose();
    expect(handled).toEqual(['metadata', 'message', 'cancel']);
  });

  test('whose client is gone never reaches a handler, though the end of its stream comes after that', () => {
    const { client, handled } = start();
    client.onReceiveMessage('m');
    client.onCancel();
    client.onReceiveHalfClose();
    expect(handled).toEqual(['metadata', 'message', 'cancel']);
  });

  test('whose stream was reset before its metadata came takes no quota', () => {
    const { quotas, handled } = start({ resetAtOnce: true });
    expect([quotas.streams.inUse, handled]).toEqual([0, ['cancel']]);
    const { client, quotas: ofOther } = start();
    expect(ofOther.streams.inUse).toBe(1);
    client.onCancel();
    expect(ofOther.streams.inUse).toBe(0);
  });

  test('whose client is gone is not waited for', () => {
    const { client, sent } = start();
    client.onCancel();
    jest.advanceTimersByTime(MS);
    expect(sent).toEqual([]);
  });
});

/** Begins a call, and a handler that works until the test calls `finish`. */
function handle(choices: Choices = {}) {
  const begun = start(choices);
  const { promise, resolve } = withResolvers();
  begun.client.onReceiveMessage(Buffer.alloc(0));
  begun.client.onReceiveHalfClose();
  const answered = new Promise<unknown>((ended) => begun.call.handle(async () => promise, ended, ended));
  return { ...begun, answered, finish: () => resolve() };
}

describe('A handler', () => {
  test.each<[string, () => string, readonly string[]]>([
    ['that returns its result', () => 'result', ['result']],
    [
      'that throws',
      () => {
        throw new Error('failed');
      },
      ['Error: failed'],
    ],
  ])('%s takes no turn of the microtask queue', (_, work, ends) => {
    const { call } = start();
    const ended: string[] = [];
    call.handle(
      work,
      (result) => ended.push(result),
      (error) => ended.push(String(error)),
    );
    expect(ended).toEqual(ends);
  });
});

describe('The signal of a call', () => {
  test('aborts when the client is gone', async () => {
    const { call, client, answered, finish } = handle();
    expect(call.signal.aborted).toBe(false);
    client.onCancel();
    expect(call.signal.reason).toMatchObject({ code: status.CANCELLED });
    finish();
    await answered;
  });

  test.each([
    ['as a number', () => Date.now() + 20],
    ['as a Date', () => new Date(Date.now() + 20)],
    ['that has passed', () => Date.now() - 1000],
  ])('aborts at a deadline %s, though the client says nothing', async (_, deadline) => {
    const { call, answered, finish } = handle({ deadline: deadline() });
    await once(call.signal, 'abort');
    expect(call.signal.reason).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    finish();
    await answered;
  });

  test.each([Infinity, Date.now() + 2 ** 40])(
    'does not abort for the deadline %d, which is too late for a timer',
    async (deadline) => {
      const { call, answered, finish } = handle({ deadline });
      await sleep(10);
      expect(call.signal.aborted).toBe(false);
      finish();
      await answered;
    },
  );

  test('aborts with the error that ends the call', async () => {
    const { calls, call, answered, finish, sent } = handle();
    const ending = new ServiceError(ErrorReason.SHUTTING_DOWN, 'ending');
    calls.endStreams(ending);
    expect(call.signal.reason).toBe(ending);
    expect(sent).toEqual([[status.UNAVAILABLE, 'ending']]);
    finish();
    await answered;
  });

  test('no longer aborts once the handler has ended', async () => {
    const { call, client, answered, finish } = handle({ deadline: Date.now() + 20 });
    finish();
    await answered;
    await sleep(40);
    client.onCancel();
    expect(call.signal.aborted).toBe(false);
  });
});

describe('The stream of a client that does not read', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('is not reset when the daemon ends, because the client may read until the drain is over', () => {
    const { calls, sent, resets } = start({ reads: false });
    calls.endStreams(new ServiceError(ErrorReason.SHUTTING_DOWN, 'ending'));
    jest.advanceTimersByTime(10 * MS);
    expect([sent, resets]).toEqual([[[status.UNAVAILABLE, 'ending']], []]);
  });

  test('is reset after a second when its caller may not call any more', () => {
    const { call, resets } = start({ reads: false });
    call.endWith(new ServiceError(ErrorReason.UNAUTHENTICATED, 'no'));
    jest.advanceTimersByTime(1_000);
    expect(resets).toEqual([constants.NGHTTP2_CANCEL]);
  });
});

describe('A status', () => {
  test('is sent only once, the first one', () => {
    const { call, sent } = start();
    call.sendStatus({ code: status.OK, details: 'first' });
    call.sendStatus({ code: status.INTERNAL, details: 'second' });
    expect(sent).toEqual([[status.OK, 'first']]);
  });
});
