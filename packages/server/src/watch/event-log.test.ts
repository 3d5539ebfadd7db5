import { expect, test } from '@jest/globals';
import { EventLog } from './event-log.js';

const info = (id: number) => ({ id, name: '', kernelBtf: false, size: 1 });

function logOf(limit: number, events: number): EventLog {
  const log = new EventLog(limit);
  for (let id = 1; id <= events; id++) log.append('added', info(id));
  return log;
}

test.each([
  [0, 0, []],
  [0, 3, [1, 2, 3]],
  [2, 3, [3]],
  [3, 3, []],
  // Of five events the first two are forgotten.
  [0, 5, []],
  [1, 5, []],
  [2, 5, [3, 4, 5]],
  [9, 5, []],
])('A log of three events returns after event %i of %i: %j', (sequence, events, expected) => {
  const log = logOf(3, events);
  const found: number[] = [];
  let at = sequence;
  for (let event = log.after(at); event !== null; event = log.after(at)) {
    found.push(event.info.id);
    at = event.sequence;
  }
  expect(found).toEqual(expected);
  expect(log.last).toBe(events);
});

test('A listener is called at each event until it stops', () => {
  const log = logOf(3, 1);
  const seen: number[] = [];
  const stop = log.onAppend(() => seen.push(log.last));
  log.append('removed', info(1));
  log.append('added', info(2));
  stop();
  log.append('added', info(3));
  expect(seen).toEqual([2, 3]);
});
