import { beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import type { CallLimits } from '../call/connection.js';
import { Lease } from './lease.js';
import { LeaseKeeper } from './lease-keeper.js';
import { collectGarbage } from '../testing/collect-garbage.js';
import { FakeClock } from '../testing/fake-clock.js';

const TTL = 60_000;
const CALL_TIMEOUT = 10_000;

let clock: FakeClock;
let rounds: string[][];
let open: Set<string>;
let epoch: string;
let unreachable: boolean;
let hanging: boolean;
let timeouts: (number | undefined)[];
let keeper: LeaseKeeper;

beforeEach(() => {
  clock = new FakeClock();
  rounds = [];
  open = new Set(['a', 'b', 'c']);
  epoch = 'one';
  unreachable = false;
  hanging = false;
  timeouts = [];
  const calls = {
    renew: async (tokens: readonly string[], { timeout }: CallLimits) => {
      rounds.push([...tokens]);
      timeouts.push(timeout);
      if (hanging) await new Promise(() => {});
      if (unreachable)
        throw new BtfError({ code: status.UNAVAILABLE, reason: 'UNREACHABLE', message: 'away' });
      return tokens.map((token) => (open.has(token) ? TTL : null));
    },
    daemonEpoch: async () => epoch,
  };
  keeper = new LeaseKeeper(calls, clock, CALL_TIMEOUT);
});

function lease(token: string, ttl = TTL, askedAt = clock.now()): Lease {
  const made = new Lease(token, 'one', ttl, askedAt);
  keeper.add(made);
  return made;
}

describe('renewal', () => {
  test('[C1] renews all leases by one call at each third of the TTL', async () => {
    const leases = [lease('a'), lease('b')];
    expect(clock.timers).toBe(1);
    await clock.advance(TTL / 3 - 1);
    expect(rounds).toEqual([]);
    await clock.advance(1);
    expect(rounds).toEqual([['a', 'b']]);
    await clock.advance(TTL / 3);
    expect(rounds).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(leases.map(({ lost }) => lost.aborted)).toEqual([false, false]);
  });

  test('follows the shortest TTL, with one timer', async () => {
    const leases = [lease('a', TTL), lease('b', 3_000)];
    expect(clock.timers).toBe(1);
    await clock.advance(1_000);
    expect(rounds).toEqual([['a', 'b']]);
    expect(leases[0]?.lost.aborted).toBe(false);
  });

  test('is not delayed by a lease that is added later', async () => {
    const first = lease('a');
    await clock.advance(TTL / 3 - 1);
    const second = lease('b');
    await clock.advance(1);
    expect(rounds).toEqual([['a', 'b']]);
    expect([first, second].map(({ lost }) => lost.aborted)).toEqual([false, false]);
  });

  test('does not spin if a daemon grants a TTL of 0', async () => {
    const held = lease('a', 0);
    await clock.advance(1_000);
    expect(rounds).toHaveLength(10);
    expect(held.lost.aborted).toBe(false);
  });

  test('comes at least hourly, because timers overflow at 24 days', async () => {
    const held = lease('a', 1_000 * 24 * 3_600_000);
    await clock.advance(3_600_000);
    expect(rounds).toHaveLength(1);
    expect(held.lost.aborted).toBe(false);
  });

  test('does not wait for a response beyond the next round, or the timeout of the client', async () => {
    const [long, short] = [lease('a'), lease('b', 3_000)];
    await clock.advance(1_000);
    expect(timeouts).toEqual([1_000]);
    keeper.remove(short);
    await clock.advance(1_000 + TTL / 3);
    expect(timeouts.slice(-1)).toEqual([CALL_TIMEOUT]);
    expect(long.lost.aborted).toBe(false);
  });

  test('comes at once for a lease whose call took longer than the TTL', async () => {
    await clock.advance(TTL * 2);
    const held = lease('a', TTL, 0);
    await clock.advance(0);
    expect(rounds).toEqual([['a']]);
    await clock.advance(TTL);
    expect(held.lost.aborted).toBe(false);
  });

  test('ends with the last lease', async () => {
    keeper.remove(lease('a'));
    expect(clock.timers).toBe(0);
    await clock.advance(TTL);
    expect(rounds).toEqual([]);
  });

  test('ends at stop, which returns the tokens of the leases', async () => {
    const leases = [lease('a'), lease('b')];
    keeper.lose(lease('c'), BtfError.from('gone'));
    expect(keeper.stop()).toEqual(leases.map(({ token }) => token));
    expect(clock.timers).toBe(0);
  });

  test('on demand returns the remaining TTL', async () => {
    const held = lease('a');
    await clock.advance(10_000);
    expect(await keeper.renew(held, {})).toBe(TTL);
    await clock.advance(TTL / 3 - 10_000);
    expect(rounds).toEqual([['a'], ['a']]);
  });

  test('lets the lease of a handle that is garbage expire', async () => {
    const kept = lease('a');
    (() => lease('b'))();
    await clock.advance(0);
    collectGarbage();
    await clock.advance(TTL / 3);
    expect(rounds).toEqual([['a']]);
    expect(kept.lost.aborted).toBe(false);
  });
});

describe('loss', () => {
  test('of a lease that the daemon has ended', async () => {
    const [gone, kept] = [lease('a'), lease('b')];
    open.delete('a');
    await clock.advance(TTL / 3);
    expect(gone.lost.reason).toMatchObject({ code: status.NOT_FOUND, reason: 'HANDLE_NOT_FOUND' });
    expect(kept.lost.aborted).toBe(false);
    await clock.advance(TTL / 3);
    expect(rounds).toEqual([['a', 'b'], ['b']]);
  });

  test('by a restart of the daemon has a reason of its own', async () => {
    const gone = lease('a');
    open.clear();
    epoch = 'two';
    await clock.advance(TTL / 3);
    expect(gone.lost.reason).toMatchObject({
      reason: 'HANDLE_OF_EARLIER_DAEMON',
      metadata: { daemon_epoch: 'two' },
    });
    expect(clock.timers).toBe(0);
  });

  test('[C3] by a restart comes at once when another run responds, for leases of the previous run', async () => {
    const [gone, kept] = [lease('a'), new Lease('b', 'two', TTL, clock.now())];
    keeper.add(kept);
    keeper.loseOthers('two');
    expect(gone.lost.reason).toMatchObject({ reason: 'HANDLE_OF_EARLIER_DAEMON' });
    expect(kept.lost.aborted).toBe(false);
  });

  test('is noticed at once when something happened to the daemon', async () => {
    const gone = lease('a');
    open = new Set();
    await clock.advance(1_000);
    keeper.hurry();
    await clock.advance(0);
    expect(gone.lost.aborted).toBe(true);
    expect(rounds).toHaveLength(1);
    keeper.hurry();
    await clock.advance(1_000);
    expect(rounds).toHaveLength(1);
  });

  test('is not concluded from one failure: the round is repeated after a second', async () => {
    const held = lease('a');
    unreachable = true;
    await clock.advance(TTL / 3 + 2_000);
    expect(rounds).toHaveLength(3);
    unreachable = false;
    await clock.advance(TTL);
    expect(held.lost.aborted).toBe(false);
  });

  test('when the lease expired while the daemon could not be reached', async () => {
    const gone = lease('a');
    unreachable = true;
    await clock.advance(TTL - 1);
    expect(gone.lost.aborted).toBe(false);
    await clock.advance(1);
    expect(gone.lost.reason).toMatchObject({
      reason: 'LEASE_EXPIRED',
      cause: expect.objectContaining({ reason: 'UNREACHABLE' }),
    });
    expect(clock.timers).toBe(0);
  });

  test('does not wait for a call that hangs', async () => {
    hanging = true;
    const gone = lease('a');
    await clock.advance(TTL - 1);
    expect(gone.lost.aborted).toBe(false);
    await clock.advance(1);
    expect(gone.lost.reason).toMatchObject({ reason: 'LEASE_EXPIRED' });
    expect(clock.timers).toBe(0);
  });

  test('comes when the TTL has passed since the lease was requested', async () => {
    unreachable = true;
    await clock.advance(5_000);
    const gone = lease('a', TTL, 0);
    await clock.advance(TTL - 5_001);
    expect(gone.lost.aborted).toBe(false);
    await clock.advance(1);
    expect(gone.lost.aborted).toBe(true);
  });

  test('does not happen to a lease that is no longer kept', () => {
    const closed = lease('a');
    keeper.remove(closed);
    keeper.lose(closed, BtfError.from('gone'));
    expect(closed.lost.aborted).toBe(false);
  });

  test('does not happen to a lease that was removed while the response was on its way', async () => {
    const closed = lease('a');
    open.clear();
    const renewed = keeper.renew(closed, {});
    keeper.remove(closed);
    expect(await renewed).toBe(0);
    expect(closed.lost.aborted).toBe(false);
  });
});
