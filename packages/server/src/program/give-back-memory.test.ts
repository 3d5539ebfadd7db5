import { expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { giveBackMemory } from './give-back-memory.js';

const MIB = 1024 * 1024;

/** A process that uses 100 MiB. A trim gives back what it does not use. */
function setUp(trimmed: () => void = () => {}) {
  const clock = new ManualClock();
  const memory = { resident: 100 * MIB, used: 100 * MIB, trims: 0 };
  const stop = giveBackMemory(clock, {
    resident: () => {
      if (Number.isNaN(memory.resident)) throw new Error('EMFILE: too many open files, open /proc/self/stat');
      return memory.resident;
    },
    trim: () => {
      memory.trims += 1;
      trimmed();
      memory.resident = memory.used;
    },
  });
  return { clock, memory, stop };
}

test('A process that has grown gives back what it has freed, and what it frees in the next minute', () => {
  const { clock, memory } = setUp();
  memory.resident = 300 * MIB;
  clock.advance(10_000);
  expect(memory).toMatchObject({ resident: 100 * MIB, trims: 1 });
  clock.advance(600_000);
  expect(memory.trims).toBe(6);
});

test('A process that frees memory long after it has grown gives it back within a minute', () => {
  const { clock, memory } = setUp();
  memory.resident = memory.used = 300 * MIB;
  clock.advance(300_000);
  memory.used = 100 * MIB;
  clock.advance(60_000);
  expect(memory.resident).toBe(100 * MIB);
  const { trims } = memory;
  clock.advance(600_000);
  expect(memory.trims).toBe(trims);
});

test('A process that has grown a little or shrunk is left alone', () => {
  const { clock, memory } = setUp();
  memory.resident = 107 * MIB;
  clock.advance(60_000);
  memory.resident = 90 * MIB;
  clock.advance(60_000);
  expect(memory.trims).toBe(0);
});

test('While no file can be opened, a process waits with it', () => {
  const { clock, memory } = setUp();
  memory.resident = NaN;
  clock.advance(30_000);
  memory.resident = 300 * MIB;
  clock.advance(10_000);
  expect(memory).toMatchObject({ resident: 100 * MIB, trims: 1 });
});

test('Growth after a time of less counts from there', () => {
  const { clock, memory } = setUp();
  memory.resident = 80 * MIB;
  clock.advance(10_000);
  memory.resident = 90 * MIB;
  clock.advance(10_000);
  expect(memory.trims).toBe(1);
});

test('Without the addon it is tried once', () => {
  const { clock, memory } = setUp(() => {
    throw new Error('no addon');
  });
  memory.resident = 300 * MIB;
  clock.advance(60_000);
  expect([memory.trims, clock.timers]).toEqual([1, 0]);
});

test('It can be stopped', () => {
  const { clock, stop } = setUp();
  stop();
  expect(clock.timers).toBe(0);
});
