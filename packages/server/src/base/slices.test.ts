import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { copyBytes, eachSlice, inSlices, sha256 } from './slices.js';

/** Does work of some steps in slices, and returns the events in order: `s` for a step, `.` for a turn of others. */
async function eventsOf(steps: number, msPerStep: number): Promise<string> {
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
  const result = inSlices(work(), clock).finally(() => {
    done = true;
  });
  while (!done) {
    events += '.';
    await setImmediate();
  }
  expect(await result).toBe('done');
  return events;
}

test.each([
  ['quick steps are done together, for 2 ms', 8, 0.5, 'ssss.ssss.'],
  ['other work runs after each slow step', 3, 10, 's.s.s.'],
  ['steps that take no time are one slice', 5, 0, 'sssss.'],
])('inSlices: %s', async (_, steps, msPerStep, events) => {
  expect(await eventsOf(steps, msPerStep)).toBe(events);
});

test('inSlices fails with the error of its work', async () => {
  const work = (function* (): Generator<void, void, void> {
    yield;
    throw new Error('broken');
  })();
  await expect(inSlices(work, new ManualClock())).rejects.toThrow('broken');
});

const bytes = Uint8Array.from({ length: 1_300_000 }, (_, index) => index * 7);

test('Others run between the slices of many bytes', async () => {
  const events: string[] = [];
  const done = eachSlice(bytes, (slice, at) => events.push(`${at}+${slice.length}`));
  const others = (async () => {
    for (let turn = 0; turn < 2; turn++) {
      await setImmediate();
      events.push('other');
    }
  })();
  await Promise.all([done, others]);
  expect(events).toEqual(['0+524288', '524288+524288', 'other', '1048576+251424', 'other']);
});

test('A copy is equal, and has its own memory', async () => {
  const view = bytes.subarray(3);
  const copy = await copyBytes(view);
  expect(Buffer.compare(copy, view)).toBe(0);
  expect(copy.buffer.byteLength).toBe(view.length);
});

test.each([0, 1, 524_288, 524_289, 1_300_000])(
  'A digest of %i bytes made in slices equals that of all bytes',
  async (length) => {
    const part = bytes.subarray(0, length);
    expect(Buffer.from(await sha256(part))).toEqual(createHash('sha256').update(part).digest());
  },
);
