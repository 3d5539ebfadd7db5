import { expect, test } from '@jest/globals';
import { Quota } from './quota.js';
import { SharedQuota } from './shared-quota.js';

function setUp() {
  const quota = new Quota({ name: 'q', what: 'things', retryMs: null }, { each: 10, all: 15 });
  return { quota, shared: new SharedQuota(quota) };
}

test('A thing that a principal uses twice counts once, until both uses have ended', () => {
  const { quota, shared } = setUp();
  const [first, second] = [shared.take('uid:1', 'a', 6), shared.take('uid:1', 'a', 6)];
  expect(quota.usedBy('uid:1')).toBe(6);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  expect(quota.usedBy('uid:1')).toBe(6);
  second[Symbol.dispose]();
  expect(quota.inUse).toBe(0);
  shared.take('uid:1', 'a', 6);
  expect(quota.usedBy('uid:1')).toBe(6);
});

test('Other things, and the same thing of another principal, count separately', () => {
  const { quota, shared } = setUp();
  shared.take('uid:1', 'a', 6);
  shared.take('uid:1', 'b', 4);
  shared.take('uid:2', 'a', 5);
  expect([quota.usedBy('uid:1'), quota.usedBy('uid:2')]).toEqual([10, 5]);
});

test('Too much is refused, and takes nothing', () => {
  const { quota, shared } = setUp();
  shared.take('uid:1', 'a', 6);
  expect(() => shared.take('uid:1', 'b', 5)).toThrow('the caller has 6 of at most 10 things');
  expect(() => shared.take('uid:2', 'a', 10)).toThrow('all callers together have 6 of at most 15 things');
  shared.take('uid:1', 'b', 4);
  expect(quota.inUse).toBe(10);
});
