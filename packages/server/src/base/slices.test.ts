import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { inSlices } from './slices.js';

/** What happens, in its order, while work of so many steps is done in slices and others run too. */
async function happens(steps: number, msPerStep: number): Promise<string> {
  const clock = new ManualClock();
  let events = '';
  function* work(): Generator<void, string, void> {
    for (let step = 0; step < steps; step++) {
      clock.advance(msPerStep);
      events += 's';
      yield;
    }
    return 'done';
  }
  let done = false;
  const answer = inSlices(work(), clock).finally(() => {
    done = true;
  });
  while (!done) {
    events += '.';
    await setImmediate();
  }
  expect(await answer).toBe('done');
  return events;
}

test.each([
  ['quick steps are done together, for 2 ms', 8, 0.5, 'ssss.ssss.'],
  ['others run after each slow step', 3, 10, 's.s.s.'],
  ['steps that take no time are one slice', 5, 0, 'sssss.'],
])('Of work in slices, %s', async (_, steps, msPerStep, events) => {
  expect(await happens(steps, msPerStep)).toBe(events);
});

test('Work in slices fails with its error', async () => {
  const work = (function* (): Generator<void, void, void> {
    yield;
    throw new Error('broken');
  })();
  await expect(inSlices(work, new ManualClock())).rejects.toThrow('broken');
});
