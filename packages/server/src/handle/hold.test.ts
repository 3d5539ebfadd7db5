import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { DEFAULT_LIMITS } from '../config/limits.js';
import { makeQuotas } from '../quota/quotas.js';
import { intBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { ManualClock } from '../testing/manual-clock.js';
import { EPOCH } from '../testing/services.js';
import { failureOf } from '../testing/service-error.js';
import { HandleTable } from './handle-table.js';
import { Hold } from './hold.js';
import { LOADER } from '../testing/callers.js';

const LIMIT = 3;
const STALL = 30_000;

function setUp() {
  const clock = new ManualClock();
  const kernel = new FakeKernel();
  const id = kernel.add('module', intBtf());
  const table = new HandleTable(EPOCH, clock, makeQuotas(DEFAULT_LIMITS));
  const hold = new Hold(LIMIT, STALL, clock);
  const abort = new AbortController();
  const holdOne = () => {
    const object = kernel.open(id);
    return table.hold(LOADER, object, object.info(), hold).token;
  };
  /** How `room` has settled, if it has. */
  const room = () => {
    const state = { settled: false };
    const promise = hold.room(abort.signal).finally(() => {
      state.settled = true;
    });
    promise.catch(() => {});
    return { state, promise };
  };
  const nothingLeft = () => {
    expect(clock.timers).toBe(0);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  };
  return { clock, table, hold, abort, holdOne, room, nothingLeft };
}

/** Lets the reactions of settled promises run. */
async function settle(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('The wait for emptiness', () => {
  test('lasts until the last handle is taken or closed, each within the stall time', async () => {
    const { clock, table, hold, abort, holdOne, nothingLeft } = setUp();
    const tokens = Array.from({ length: LIMIT }, holdOne);
    let isEmpty = false;
    const empty = hold.empty(abort.signal).finally(() => {
      isEmpty = true;
    });
    for (const token of tokens) {
      clock.advance(STALL - 1);
      await settle();
      expect(isEmpty).toBe(false);
      table.close(token);
      await settle();
    }
    await empty;
    nothingLeft();
  });

  test.each<[string, (table: HandleTable, token: string) => void]>([
    ['renews', (table, token) => void table.renew(LOADER, token)],
    ['uses', (table, token) => table.use(LOADER, token)[Symbol.dispose]()],
  ])('continues while the client %s one of the handles', async (_, act) => {
    const { clock, table, hold, abort, holdOne, nothingLeft } = setUp();
    const token = holdOne();
    const empty = hold.empty(abort.signal);
    for (let round = 0; round < 5; round++) {
      clock.advance(STALL - 1);
      act(table, token);
    }
    table.close(token);
    await empty;
    nothingLeft();
  });

  test('lasts no longer than the stall time', async () => {
    const { clock, hold, abort, holdOne, nothingLeft } = setUp();
    holdOne();
    const empty = failureOf(() => hold.empty(abort.signal));
    clock.advance(STALL);
    expect((await empty).reason).toBe(ErrorReason.HOLD_STALLED);
    nothingLeft();
  });

  test('ends with the call', async () => {
    const { hold, abort, holdOne, nothingLeft } = setUp();
    holdOne();
    const empty = hold.empty(abort.signal);
    const reason = new Error('gone');
    abort.abort(reason);
    await expect(empty).rejects.toBe(reason);
    nothingLeft();
  });

  test('ends at once if nothing is held', async () => {
    const { hold, abort, nothingLeft } = setUp();
    await hold.empty(abort.signal);
    nothingLeft();
  });
});

describe('The wait for room for one more handle', () => {
  test('ends at once below the limit', async () => {
    const { hold, abort, holdOne, nothingLeft } = setUp();
    for (let i = 0; i < LIMIT; i++) {
      await hold.room(abort.signal);
      holdOne();
    }
    expect(hold.held()).toHaveLength(LIMIT);
    nothingLeft();
  });

  test.each<[string, (table: HandleTable, token: string) => unknown]>([
    ['closed', (table, token) => table.close(token)],
    ['taken', (table, token) => table.take(LOADER, token, 1e6)],
  ])('ends at the limit when a handle is %s', async (_, act) => {
    const { table, clock, abort, holdOne, room } = setUp();
    const tokens = Array.from({ length: LIMIT }, holdOne);
    const { state, promise } = room();
    await settle();
    expect(state.settled).toBe(false);
    act(table, tokens[1] ?? '');
    await promise;
    table.closeAll();
    expect(clock.timers).toBe(0);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
  });

  test('lasts no longer than the stall time', async () => {
    const { clock, holdOne, room, nothingLeft } = setUp();
    for (let i = 0; i < LIMIT; i++) holdOne();
    const { state, promise } = room();
    clock.advance(STALL - 1);
    await settle();
    expect(state.settled).toBe(false);
    clock.advance(1);
    const error = await failureOf(() => promise);
    expect(error.reason).toBe(ErrorReason.HOLD_STALLED);
    nothingLeft();
  });

  test('may last for the whole stall time each time', async () => {
    const { clock, table, holdOne, room, nothingLeft } = setUp();
    const tokens = Array.from({ length: LIMIT }, holdOne);
    for (let i = 0; i < 5; i++) {
      const { promise } = room();
      clock.advance(STALL - 1);
      table.close(tokens.shift() ?? '');
      await promise;
      tokens.push(holdOne());
    }
    nothingLeft();
  });

  test('ends with the call', async () => {
    const { abort, holdOne, room, nothingLeft } = setUp();
    for (let i = 0; i < LIMIT; i++) holdOne();
    const { promise } = room();
    const reason = new Error('gone');
    abort.abort(reason);
    await expect(promise).rejects.toBe(reason);
    nothingLeft();
  });

  test('fails for a call that has ended already', async () => {
    const { abort, room, nothingLeft } = setUp();
    const reason = new Error('gone');
    abort.abort(reason);
    await expect(room().promise).rejects.toBe(reason);
    nothingLeft();
  });
});
