import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { LoopWatch } from './loop-watch.js';
import { Pace } from './pace.js';

const SIGNAL = new AbortController().signal;
const WELL = { delaySince: () => 0 };

/** Holds the event loop. */
function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

describe('Places', () => {
  test('are given up to their number, in order, to questions first', async () => {
    const pace = new Pace(1, WELL);
    const first = await pace.take(false, SIGNAL);
    const order: string[] = [];
    const waiting = [false, false, true].map(async (urgent, index) => {
      const place = await pace.take(urgent, SIGNAL);
      order.push(`${index}`);
      place[Symbol.dispose]();
    });
    await setTimeout(1);
    expect(order).toEqual([]);
    first[Symbol.dispose]();
    // Freeing a place again has no effect.
    first[Symbol.dispose]();
    await Promise.all(waiting);
    expect(order).toEqual(['2', '0', '1']);
  });

  test('are not kept for those who left', async () => {
    const pace = new Pace(1, WELL);
    const first = await pace.take(false, SIGNAL);
    const leaving = new AbortController();
    const left = pace.take(true, leaving.signal);
    const stays = pace.take(true, SIGNAL);
    const reason = new Error('enough');
    leaving.abort(reason);
    await expect(left).rejects.toBe(reason);
    await expect(pace.take(true, leaving.signal)).rejects.toBe(reason);
    first[Symbol.dispose]();
    (await stays)[Symbol.dispose]();
  });

  test('become fewer while the event loop is slow, and more again after it', async () => {
    let delay = 500;
    const pace = new Pace(32, { delaySince: () => delay });
    const next = async (): Promise<number> => {
      block(251);
      (await pace.take(false, SIGNAL))[Symbol.dispose]();
      return pace.limit;
    };
    expect([await next(), await next()]).toEqual([16, 8]);
    // Silent nodes would take too long otherwise.
    expect(await next()).toBe(8);
    delay = 0;
    expect([await next(), await next()]).toEqual([16, 24]);
    for (let count = 0; count < 3; count++) await next();
    expect(pace.limit).toBe(32);
  });
});

test('The delay of the event loop is that of its timers, also before they have run', async () => {
  using loop = new LoopWatch();
  const start = performance.now();
  block(400);
  expect(loop.delaySince(start)).toBeGreaterThan(300);
  await setTimeout(100);
  expect(loop.delaySince(start)).toBeGreaterThan(300);
  expect(loop.delaySince(performance.now())).toBeLessThan(300);
  block(400);
  expect(loop.lostSince(start)).toBeGreaterThan(600);
});
