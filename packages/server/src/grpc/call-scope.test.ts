import { EventEmitter, getEventListeners, once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { openScope } from './call-scope.js';

class FakeCall extends EventEmitter {
  constructor(private readonly deadline: Date | number) {
    super();
  }

  getDeadline(): Date | number {
    return this.deadline;
  }
}

describe('The signal of a call', () => {
  test('aborts when the client is gone', () => {
    const call = new FakeCall(Infinity);
    using scope = openScope(call, null);
    expect(scope.signal.aborted).toBe(false);
    call.emit('cancelled');
    expect(scope.signal.reason).toMatchObject({ code: status.CANCELLED });
  });

  test.each([
    ['as a number', () => Date.now() + 20],
    ['as a Date', () => new Date(Date.now() + 20)],
    ['that is past', () => Date.now() - 1000],
  ])('aborts at a deadline %s, without a word of the client', async (_, deadline) => {
    using scope = openScope(new FakeCall(deadline()), null);
    await once(scope.signal, 'abort');
    expect(scope.signal.reason).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  test.each([Infinity, Date.now() + 2 ** 40])(
    'does not abort for the deadline %d, which no timer takes',
    async (deadline) => {
      using scope = openScope(new FakeCall(deadline), null);
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
      expect(scope.signal.aborted).toBe(false);
    },
  );

  test('aborts at shutdown, with its reason', () => {
    const shutdown = new AbortController();
    using scope = openScope(new FakeCall(Infinity), shutdown.signal);
    const reason = new Error('ending');
    shutdown.abort(reason);
    expect(scope.signal.reason).toBe(reason);
  });

  test('leaves no listener behind', () => {
    const call = new FakeCall(Date.now() + 1e6);
    const shutdown = new AbortController();
    openScope(call, shutdown.signal)[Symbol.dispose]();
    expect([call.eventNames(), getEventListeners(shutdown.signal, 'abort')]).toEqual([[], []]);
  });
});
