import { expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { giveBackMemory } from './give-back-memory.js';

const MIB = 1024 * 1024;

/** A process that uses 100 MiB, after the first look. A trim gives back what it does not use. */
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
  clock.advance(1_000);
  return { clock, memory, stop };
}

test('A process gives back at first what its start has freed', () => {
  expect(setUp().memory.trims).toBe(1);
});

test('A process that has grown gives back what it has freed', () => {
  const { clock, memory } = setUp();
  memory.resident = 300 * MIB;
  clock.advance(1_000);
  expect(memory).toMatchObject({ resident: 100 * MIB, trims: 2 });
  clock.advance(600_000);
  expect(memory.trims).toBe(2);
});

test('A process that frees memory later gives it back after pauses that double up to a minute', () => {
  const { clock, memory } = setUp();
  memory.resident = memory.used = 300 * MIB;
  const at: number[] = [];
  for (let second = 1; second <= 300; second += 1) {
    const { trims } = memory;
    clock.advance(1_000);
    if (memory.trims > trims) at.push(second);
  }
  expect(at).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 192, 256]);
  memory.used = 100 * MIB;
  clock.advance(64_000);
  expect(memory.resident).toBe(100 * MIB);
  const { trims } = memory;
  clock.advance(600_000);
  expect(memory.trims).toBe(trims);
});

test('Growth between two trims ends a long pause', () => {
  const { clock, memory } = setUp();
  memory.resident = memory.used = 300 * MIB;
  clock.advance(130_000);
  const { trims } = memory;
  memory.resident = 308 * MIB;
  clock.advance(1_000);
  expect(memory).toMatchObject({ resident: 300 * MIB, trims: trims + 1 });
});

test('Slow growth counts from the last trim', () => {
  const { clock, memory } = setUp();
  for (let i = 0; i < 8; i += 1) {
    memory.resident += MIB;
    clock.advance(1_000);
  }
  expect(memory).toMatchObject({ resident: 100 * MIB, trims: 2 });
});

test('A process that has grown a little or shrunk is left alone', () => {
  const { clock, memory } = setUp();
  memory.resident = 107 * MIB;
  clock.advance(60_000);
  memory.resident = 90 * MIB;
  clock.advance(60_000);
  expect(memory.trims).toBe(1);
});

test('While no file can be opened, a process waits with it', () => {
  const { clock, memory } = setUp();
  memory.resident = NaN;
  clock.advance(30_000);
  memory.resident = 300 * MIB;
  clock.advance(1_000);
  expect(memory).toMatchObject({ resident: 100 * MIB, trims: 2 });
});

test('Growth after a time of less counts from there', () => {
  const { clock, memory } = setUp();
  memory.resident = 80 * MIB;
  clock.advance(1_000);
  memory.resident = 90 * MIB;
  clock.advance(1_000);
  expect(memory.trims).toBe(2);
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
