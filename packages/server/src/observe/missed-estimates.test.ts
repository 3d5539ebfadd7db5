import { expect, test } from '@jest/globals';
import { estimateRatio, wasMissed } from '../base/load-estimate.js';
import { logLines } from '../testing/log-lines.js';
import { ManualClock } from '../testing/manual-clock.js';
import { WINDOW_MS } from './line-budget.js';
import { MissedEstimates } from './missed-estimates.js';
import { Observability } from './observability.js';

const TIMES = { waitedMs: 0, tookMs: 2_400.4, estimatedMs: 12.3, btfBytes: 1_000 };

test('the first load in a window that takes much longer than estimated is logged, the others are counted', () => {
  const { logger, lines } = logLines('warn');
  const clock = new ManualClock();
  const missed = new MissedEstimates(logger, clock);
  for (let load = 0; load < 3; load++) missed.note(TIMES);
  expect(lines).toMatchObject([{ level: 'warn', tookMs: 2400, estimatedMs: 12, btfBytes: 1_000 }]);
  clock.advance(WINDOW_MS);
  expect(lines.slice(1)).toMatchObject([{ level: 'warn', leftOut: 2 }]);
  expect(clock.timers).toBe(0);
});

test('the daemon logs such a load, and no other', async () => {
  const { logger, lines } = logLines('warn');
  const observability = await Observability.start({ logger });
  observability.onLoad({ ...TIMES, tookMs: 30 });
  expect(lines).toEqual([]);
  observability.onLoad(TIMES);
  expect(lines).toMatchObject([{ level: 'warn', btfBytes: 1_000 }]);
  await observability.stop();
});

test.each([
  ['far above the estimate', 2_400, 100, true],
  ['above it as on a busy machine', 2_400, 1_000, false],
  ['short, whatever the estimate', 90, 0, false],
  ['not short, without an estimate', 110, 0, true],
])('a load with a time %s counts as missed or not', (_, tookMs, estimatedMs, expected) => {
  expect(wasMissed({ tookMs, estimatedMs })).toBe(expected);
});

test('the ratio of a short load is that to the shortest estimate', () => {
  expect([
    estimateRatio({ tookMs: 10, estimatedMs: 1 }),
    estimateRatio({ tookMs: 80, estimatedMs: 40 }),
  ]).toEqual([0.5, 2]);
});
