import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { AnswerWait } from './answer-wait.js';

describe('AnswerWait', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('continues without --timeout as long as there are responses', () => {
    const wait = new AnswerWait(new AbortController().signal, undefined);
    for (let response = 0; response < 3; response++) {
      jest.advanceTimersByTime(29_000);
      wait.heard();
    }
    expect(wait.signal.aborted).toBe(false);
    jest.advanceTimersByTime(30_000);
    expect(wait.signal.reason).toMatchObject({
      name: 'TimeoutError',
      message: 'the daemon did not respond in time',
    });
  });

  test('--timeout limits the whole request, even if there are responses', () => {
    const wait = new AnswerWait(new AbortController().signal, 1_000);
    jest.advanceTimersByTime(600);
    wait.heard();
    jest.advanceTimersByTime(600);
    expect(wait.signal.reason).toMatchObject({ message: 'the request took longer than --timeout allows' });
  });

  test('ends with the last response, and when the user ends the command', () => {
    const interrupted = new AbortController();
    const wait = new AnswerWait(interrupted.signal, undefined);
    wait.end();
    jest.advanceTimersByTime(60_000);
    expect(wait.signal.aborted).toBe(false);
    interrupted.abort(130);
    expect(wait.signal.reason).toBe(130);
    expect(new AnswerWait(interrupted.signal, 1_000).signal.reason).toBe(130);
  });
});
