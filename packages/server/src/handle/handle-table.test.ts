import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { DEFAULT_LIMITS } from '../config/limits.js';
import { makeQuotas } from '../quota/quotas.js';
import { intBtf } from '../testing/btf-bytes.js';
import { callerAs, LOADER } from '../testing/callers.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { ManualClock } from '../testing/manual-clock.js';
import { EPOCH } from '../testing/services.js';
import { failureOf, reasonOf } from '../testing/service-error.js';
import { HandleTable, newEpoch, newToken } from './handle-table.js';
import { Hold } from './hold.js';

const TTL = 1000;

function setUp() {
  const kernel = new FakeKernel();
  const clock = new ManualClock();
  const table = new HandleTable(EPOCH, clock, makeQuotas(DEFAULT_LIMITS));
  const id = kernel.add('module', intBtf());
  const open = () => {
    const object = kernel.open(id);
    return [object, object.info()] as const;
  };
  const hold = new Hold(64, 30_000, clock);
  return { kernel, clock, table, open, hold };
}

describe('A handle with a lease', () => {
  test('closes its object when the lease expires, and is not found from then on', async () => {
    const { kernel, clock, table, open } = setUp();
    const { token } = table.grant(LOADER, ...open(), TTL);
    clock.advance(TTL - 1);
    expect([kernel.openCount, table.size]).toEqual([1, 1]);
    clock.advance(1);
    expect([kernel.openCount, table.size]).toEqual([0, 0]);
    expect(await reasonOf(() => table.use(LOADER, token))).toBe(ErrorReason.HANDLE_NOT_FOUND);
    expect(table.renew(LOADER, token)).toBeNull();
    expect(table.close(token)).toBe(false);
  });

  test('stays open while it is renewed', () => {
    const { kernel, clock, table, open } = setUp();
    const { token } = table.grant(LOADER, ...open(), TTL);
    for (let i = 0; i < 10; i++) {
      clock.advance(TTL - 1);
      expect(table.renew(LOADER, token)?.lease?.remainingMs).toBe(TTL);
    }
    expect(kernel.openCount).toBe(1);
  });

  test('stays open while a call uses it, and for the whole TTL after that', () => {
    const { kernel, clock, table, open } = setUp();
    const { token } = table.grant(LOADER, ...open(), TTL);
    {
      using use = table.use(LOADER, token);
      clock.advance(10 * TTL);
      expect(use.held.token).toBe(token);
      expect(kernel.openCount).toBe(1);
    }
    clock.advance(TTL - 1);
    expect(kernel.openCount).toBe(1);
    clock.advance(1);
    expect(kernel.openCount).toBe(0);
  });

  test('stays open until the last of several calls that use it ends', () => {
    const { kernel, clock, table, open } = setUp();
    const { token } = table.grant(LOADER, ...open(), TTL);
    const uses = [table.use(LOADER, token), table.use(LOADER, token)];
    clock.advance(5 * TTL);
    uses[0]?.[Symbol.dispose]();
    clock.advance(5 * TTL);
    expect(kernel.openCount).toBe(1);
    uses[1]?.[Symbol.dispose]();
    clock.advance(TTL);
    expect(kernel.openCount).toBe(0);
  });

  test('is not renewed by `peek`', () => {
    const { kernel, clock, table, open } = setUp();
    const { token } = table.grant(LOADER, ...open(), TTL);
    clock.advance(600);
    expect(table.peek(LOADER, token).lease?.remainingMs).toBe(400);
    clock.advance(400);
    expect(kernel.openCount).toBe(0);
  });

  test('is closed once, which is reported', () => {
    const { kernel, clock, table, open } = setUp();
    const { token } = table.grant(LOADER, ...open(), TTL);
    expect([table.close(token), table.close(token)]).toEqual([true, false]);
    expect([kernel.openCount, clock.timers]).toEqual([0, 0]);
  });

  test('can be closed while a call uses it, and stays closed at the end of that call', () => {
    const { kernel, clock, table, open } = setUp();
    const { token } = table.grant(LOADER, ...open(), TTL);
    const use = table.use(LOADER, token);
    expect(table.close(token)).toBe(true);
    use[Symbol.dispose]();
    expect([kernel.openCount, table.size, clock.timers]).toEqual([0, 0, 0]);
  });
});

describe('A handle that a stream holds', () => {
  test('has no lease and does not expire', () => {
    const { kernel, clock, table, open, hold } = setUp();
    const held = table.hold(LOADER, ...open(), hold);
    clock.advance(1e9);
    expect(held.lease).toBeNull();
    expect(table.renew(LOADER, held.token)?.lease).toBeNull();
    expect([kernel.openCount, clock.timers]).toEqual([1, 0]);
    expect(hold.held()).toEqual([held.token]);
  });

  test('leaves its stream when it is taken, with the same token and a lease of its own', () => {
    const { kernel, clock, table, open, hold } = setUp();
    const { token } = table.hold(LOADER, ...open(), hold);
    const taken = table.take(LOADER, token, TTL);
    expect([taken.token, taken.lease?.ttlMs, hold.held()]).toEqual([token, TTL, []]);
    clock.advance(TTL);
    expect([kernel.openCount, table.size]).toEqual([0, 0]);
  });

  test('is renewed when it is taken again, with the TTL of the first time', () => {
    const { kernel, clock, table, open, hold } = setUp();
    const { token } = table.hold(LOADER, ...open(), hold);
    table.take(LOADER, token, TTL);
    clock.advance(900);
    expect(table.take(LOADER, token, 5 * TTL).lease).toMatchObject({ ttlMs: TTL, remainingMs: TTL });
    clock.advance(900);
    expect(kernel.openCount).toBe(1);
    clock.advance(100);
    expect(kernel.openCount).toBe(0);
  });

  test('does not expire while a call uses it that began before it was taken', () => {
    const { kernel, clock, table, open, hold } = setUp();
    const { token } = table.hold(LOADER, ...open(), hold);
    const use = table.use(LOADER, token);
    table.take(LOADER, token, TTL);
    clock.advance(10 * TTL);
    expect(kernel.openCount).toBe(1);
    use[Symbol.dispose]();
    clock.advance(TTL - 1);
    expect(kernel.openCount).toBe(1);
    clock.advance(1);
    expect(kernel.openCount).toBe(0);
  });

  test('cannot be taken after the end of its stream', async () => {
    const { table, open, hold } = setUp();
    const { token } = table.hold(LOADER, ...open(), hold);
    for (const each of hold.held()) table.close(each);
    expect(await reasonOf(() => table.take(LOADER, token, TTL))).toBe(ErrorReason.HANDLE_NOT_FOUND);
  });

  test('leaves its stream when it is closed', () => {
    const { kernel, table, open, hold } = setUp();
    const { token } = table.hold(LOADER, ...open(), hold);
    expect(table.close(token)).toBe(true);
    expect([hold.held(), kernel.openCount]).toEqual([[], 0]);
  });
});

test('Two handles on one object are independent', () => {
  const { kernel, clock, table, open } = setUp();
  const first = table.grant(LOADER, ...open(), TTL);
  table.grant(LOADER, first.object.dup(), first.info, 3 * TTL);
  clock.advance(TTL);
  expect([kernel.openCount, table.size]).toEqual([1, 1]);
  clock.advance(2 * TTL);
  expect([kernel.openCount, table.size]).toEqual([0, 0]);
});

describe('When the daemon ends', () => {
  test('every handle is closed, leased or held', () => {
    const { kernel, clock, table, open, hold } = setUp();
    table.grant(LOADER, ...open(), TTL);
    table.grant(LOADER, ...open(), TTL);
    table.hold(LOADER, ...open(), hold);
    table.closeAll();
    expect([kernel.openCount, table.size, clock.timers, hold.held()]).toEqual([0, 0, 0, []]);
  });

  test('an object that comes later is closed at once', async () => {
    const { kernel, table, open, hold } = setUp();
    table.closeAll();
    expect(await reasonOf(() => table.grant(LOADER, ...open(), TTL))).toBe(ErrorReason.SHUTTING_DOWN);
    expect(await reasonOf(() => table.hold(LOADER, ...open(), hold))).toBe(ErrorReason.SHUTTING_DOWN);
    expect([kernel.openCount, table.size, hold.held()]).toEqual([0, 0, []]);
  });
});

describe('A handle of another caller', () => {
  const other = callerAs('loader', 'uid:2000');

  test('is not found, as if it never existed', async () => {
    const { table, open, hold } = setUp();
    const leased = table.grant(LOADER, ...open(), TTL);
    const held = table.hold(LOADER, ...open(), hold);
    const unknown = await failureOf(() => table.use(other, newToken(EPOCH)));
    for (const { token } of [leased, held]) {
      for (const attempt of [
        () => table.use(other, token),
        () => table.peek(other, token),
        () => table.take(other, token, TTL),
      ]) {
        const { reason, message, metadata } = await failureOf(attempt);
        expect({ reason, message, metadata }).toEqual({
          reason: ErrorReason.HANDLE_NOT_FOUND,
          message: unknown.message,
          metadata: unknown.metadata,
        });
      }
    }
  });

  test('is neither renewed nor closed', () => {
    const { kernel, clock, table, open } = setUp();
    const { token } = table.grant(LOADER, ...open(), TTL);
    clock.advance(600);
    expect([table.renew(other, token), table.closeFor(other, token)]).toEqual([null, false]);
    expect(table.peek(LOADER, token).lease?.remainingMs).toBe(400);
    expect(table.closeFor(LOADER, token)).toBe(true);
    expect(kernel.openCount).toBe(0);
  });
});

test('An owner who may no longer see users’ objects cannot use a handle on one', async () => {
  const { kernel, table } = setUp();
  const object = kernel.open(kernel.addUsers(intBtf()));
  const { token } = table.grant(LOADER, object, object.info(), TTL);
  const viewer = callerAs('viewer', LOADER.principal);
  expect(await reasonOf(() => table.use(viewer, token))).toBe(ErrorReason.ROLE_FORBIDS);
  expect(await reasonOf(() => table.take(viewer, token, TTL))).toBe(ErrorReason.ROLE_FORBIDS);
  expect(table.renew(viewer, token)).toBeNull();
  expect(table.closeFor(viewer, token)).toBe(true);
  expect(kernel.openCount).toBe(0);
});

describe('A token', () => {
  test('is never given twice', () => {
    const tokens = Array.from({ length: 1_000 }, () => newToken(EPOCH));
    expect(new Set(tokens).size).toBe(1_000);
    expect(tokens.every((token) => /^[\da-f]{16}\.[\w-]{22}$/.test(token))).toBe(true);
  });

  test.each([
    ['made up, of this run', newToken(EPOCH), ErrorReason.HANDLE_NOT_FOUND],
    ['of another run', newToken('fedcba9876543210'), ErrorReason.HANDLE_OF_EARLIER_DAEMON],
    ['that is empty', '', ErrorReason.HANDLE_NOT_FOUND],
    ['that is this run’s epoch alone', EPOCH, ErrorReason.HANDLE_NOT_FOUND],
    ['of another run, too short', newToken('fedcba9876543210').slice(0, -1), ErrorReason.HANDLE_NOT_FOUND],
    ['of another run, too long', `${newToken('fedcba9876543210')}x`, ErrorReason.HANDLE_NOT_FOUND],
    ['of another run with a line feed', `${newToken('fedcba9876543210')}\n`, ErrorReason.HANDLE_NOT_FOUND],
    ['that names a property of objects', '__proto__', ErrorReason.HANDLE_NOT_FOUND],
    ['of a megabyte', 'f'.repeat(1 << 20), ErrorReason.HANDLE_NOT_FOUND],
  ])('%s is not found', async (_, token, reason) => {
    const { table, open } = setUp();
    table.grant(LOADER, ...open(), TTL);
    for (const attempt of [
      () => table.use(LOADER, token),
      () => table.peek(LOADER, token),
      () => table.take(LOADER, token, TTL),
    ]) {
      expect(await reasonOf(attempt)).toBe(reason);
    }
    expect(table.renew(LOADER, token)).toBeNull();
    expect(table.close(token)).toBe(false);
    expect(table.size).toBe(1);
  });

  test('of another run fails with the epoch of this run, and the error does not repeat the token', async () => {
    const token = newToken('fedcba9876543210');
    const error = await failureOf(() => setUp().table.use(LOADER, token));
    expect(error.metadata).toEqual({ daemon_epoch: EPOCH });
    expect(error.message).not.toContain(token);
  });

  test('is never issued twice', () => {
    const tokens = new Set(Array.from({ length: 10_000 }, () => newToken(EPOCH)));
    expect(tokens.size).toBe(10_000);
    expect(new Set(Array.from({ length: 1000 }, newEpoch)).size).toBe(1000);
  });

  test('has 128 random bits after the epoch', () => {
    const secrets = Array.from({ length: 100 }, () => newToken(EPOCH).slice(EPOCH.length + 1));
    const bytes = secrets.map((secret) => Buffer.from(secret, 'base64url'));
    expect(bytes.every(({ length }) => length === 16)).toBe(true);
    // Each of the 128 bits is 0 in some tokens and 1 in others. By chance one is not in 1 of 10^27 runs.
    const or = bytes.reduce((a, b) => Buffer.from(a.map((byte, i) => byte | (b[i] ?? 0))));
    const and = bytes.reduce((a, b) => Buffer.from(a.map((byte, i) => byte & (b[i] ?? 0))));
    expect([or.toString('hex'), and.toString('hex')]).toEqual(['ff'.repeat(16), '00'.repeat(16)]);
  });
});
