import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import { Quota } from './quota.js';

const KIND = { name: 'handles', what: 'open handles', retryMs: null };

function failureOf(attempt: () => unknown): ServiceError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('A quota', () => {
  test('refuses a principal at its limit, and no other', () => {
    const quota = new Quota(KIND, { each: 2, all: 10 });
    quota.take('uid:1');
    quota.take('uid:1');
    expect(failureOf(() => quota.take('uid:1'))).toMatchObject({
      reason: ErrorReason.QUOTA_EXCEEDED,
      message: 'the caller has 2 of at most 2 open handles',
      metadata: { quota: 'handles', limit: '2' },
      quota: { subject: 'principal:uid:1' },
      retryMs: null,
    });
    quota.take('uid:2');
    expect([quota.usedBy('uid:1'), quota.usedBy('uid:2'), quota.inUse]).toEqual([2, 1, 3]);
  });

  test('refuses everybody at the common limit', () => {
    const quota = new Quota({ ...KIND, retryMs: 500 }, { each: 2, all: 3 });
    quota.take('uid:1', 2);
    quota.take('uid:2');
    expect(failureOf(() => quota.take('uid:3'))).toMatchObject({
      message: 'all callers together have 3 of at most 3 open handles',
      quota: { subject: 'daemon' },
      retryMs: 500,
    });
  });

  test('has room again after something is given back, which counts once', () => {
    const quota = new Quota(KIND, { each: 2, all: 2 });
    const taken = quota.take('uid:1', 2);
    taken[Symbol.dispose]();
    taken[Symbol.dispose]();
    expect([quota.usedBy('uid:1'), quota.inUse]).toEqual([0, 0]);
    quota.take('uid:2', 2);
    expect(quota.inUse).toBe(2);
  });

  test('takes nothing when it refuses', () => {
    const quota = new Quota(KIND, { each: 10, all: 5 });
    expect(failureOf(() => quota.take('uid:1', 6)).message).toBe(
      'all callers together have 0 of at most 5 open handles, and this call asks for 6 more',
    );
    expect(quota.inUse).toBe(0);
  });
});
