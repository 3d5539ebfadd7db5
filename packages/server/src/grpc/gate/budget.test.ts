import { expect, test } from '@jest/globals';
import { ManualClock } from '../../testing/manual-clock.js';
import { Budget } from './budget.js';

function setUp() {
  const clock = new ManualClock();
  return { clock, budget: new Budget({ burst: 3, perSecond: 2 }, () => clock.now()) };
}

test('A budget allows its burst, and then what time restores', () => {
  const { clock, budget } = setUp();
  expect([1, 2, 3, 4].map(() => budget.spend())).toEqual([true, true, true, false]);
  clock.advance(1_000);
  expect([1, 2].map(() => budget.spend())).toEqual([true, false]);
});

test('A budget is restored in the same time however much more was asked for', () => {
  const { clock, budget } = setUp();
  for (let count = 0; count < 1_000; count++) budget.spend();
  expect(budget.used).toBe(4);
  clock.advance(2_000);
  expect([budget.used, budget.share, budget.spend()]).toEqual([0, 1, true]);
});

test('A refund restores a part, but no more than the burst', () => {
  const { budget } = setUp();
  budget.spend(2);
  budget.refund();
  expect(budget.used).toBe(1);
  budget.refund(5);
  expect(budget.used).toBe(0);
});
