import { status } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { BtfError, type BtfErrorReason } from '../error/btf-error.js';
import { METHODS } from './messages.js';
import { mayRepeat, pauseBefore } from './retry.js';

function error(
  code: status,
  reason: BtfErrorReason | null = null,
  retryDelay: number | null = null,
): BtfError {
  return new BtfError({ code, reason, message: 'no', retryDelay });
}

test('the contract says which methods are repeatable', () => {
  const names = Object.entries(METHODS).flatMap(([name, { isRepeatable }]) => (isRepeatable ? [name] : []));
  expect(names).toEqual(
    expect.arrayContaining([
      'iterateHandles',
      'takeHandle',
      'getHandleInfo',
      'renewHandles',
      'closeHandles',
      'spec',
    ]),
  );
  for (const opens of ['loadHandle', 'getHandleById', 'cloneHandle']) expect(names).not.toContain(opens);
});

// [description, error, repeatable, sent, expected]
test.each<[string, BtfError, boolean, boolean, boolean]>([
  ['UNAVAILABLE', error(status.UNAVAILABLE), true, true, true],
  ['UNAVAILABLE of a call that may have opened a handle', error(status.UNAVAILABLE), false, true, false],
  [
    'UNAVAILABLE of a request that was not sent',
    error(status.UNAVAILABLE, 'UNREACHABLE'),
    false,
    false,
    true,
  ],
  ['a daemon that is ending', error(status.UNAVAILABLE, 'SHUTTING_DOWN'), false, true, true],
  ['a full queue', error(status.RESOURCE_EXHAUSTED, 'LOAD_QUEUE_FULL'), true, true, false],
  ['a full queue with a delay', error(status.RESOURCE_EXHAUSTED, 'LOAD_QUEUE_FULL', 10), false, true, true],
  ['a deadline', error(status.DEADLINE_EXCEEDED), true, true, false],
  ['INTERNAL', error(status.INTERNAL, 'INTERNAL', 10), true, true, false],
  ['NOT_FOUND', error(status.NOT_FOUND, 'HANDLE_NOT_FOUND'), true, false, false],
])('mayRepeat decides about %s', (_, failure, repeatable, sent, expected) => {
  expect(mayRepeat({ error: failure, repeatable, sent })).toBe(expected);
});

test('pauses grow up to a limit, and chance shortens them by at most half', () => {
  const pauses = (random: number) => [0, 1, 2, 3, 30].map((retry) => pauseBefore(retry, error(14), random));
  expect(pauses(0)).toEqual([100, 200, 400, 800, 5000]);
  expect(pauses(1)).toEqual([50, 100, 200, 400, 2500]);
});

test('a delay that the daemon requests is never shortened', () => {
  const busy = error(status.RESOURCE_EXHAUSTED, 'LOAD_QUEUE_FULL', 1000);
  expect([0, 1].map((random) => pauseBefore(3, busy, random))).toEqual([1000, 1500]);
});
