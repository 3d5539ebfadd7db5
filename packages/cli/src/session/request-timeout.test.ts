import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { RequestTimeout } from './request-timeout.js';

const daemon = (): string => 'the daemon';

describe('RequestTimeout', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('continues without --timeout as long as there are responses', () => {
    const timeout = new RequestTimeout(new AbortController().signal, undefined, daemon);
    for (let response = 0; response < 3; response++) {
      jest.advanceTimersByTime(29_000);
      timeout.extend();
    }
    expect(timeout.signal.aborted).toBe(false);
    jest.advanceTimersByTime(30_000);
    expect(timeout.signal.reason).toMatchObject({
      name: 'TimeoutError',
      message: 'the daemon did not respond in time',
    });
  });

  test('--timeout limits the whole request, even if there are responses', () => {
    const timeout = new RequestTimeout(new AbortController().signal, 1_000, daemon);
    jest.advanceTimersByTime(600);
    timeout.extend();
    jest.advanceTimersByTime(600);
    expect(timeout.signal.reason).toMatchObject({ message: 'the daemon took longer than --timeout allows' });
  });

  test('ends with the last response, and when the user ends the command', () => {
    const interrupted = new AbortController();
    const timeout = new RequestTimeout(interrupted.signal, undefined, daemon);
    timeout.clear();
    jest.advanceTimersByTime(60_000);
    expect(timeout.signal.aborted).toBe(false);
    interrupted.abort(130);
    expect(timeout.signal.reason).toBe(130);
    expect(new RequestTimeout(interrupted.signal, 1_000, daemon).signal.reason).toBe(130);
  });
});
