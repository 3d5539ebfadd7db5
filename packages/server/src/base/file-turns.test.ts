import { describe, expect, test } from '@jest/globals';
import { withResolvers } from '../testing/grpc-harness.js';
import { ManualClock } from '../testing/manual-clock.js';
import { FileTurns } from './file-turns.js';

const LONGEST_MS = 10_000;

/** Turns, and work that hangs until the test ends it. */
function setUp() {
  const clock = new ManualClock();
  const turns = new FileTurns(LONGEST_MS, clock);
  const { promise, resolve } = withResolvers();
  const begun: string[] = [];
  const work = (name: string, end: Promise<void>) => async (): Promise<string> => {
    begun.push(name);
    await end;
    return name;
  };
  return {
    clock,
    turns,
    begun,
    end: resolve,
    hanging: turns.run('reading /hung', work('hung', promise)),
    read: async (name: string) => turns.run(`reading ${name}`, work(name, Promise.resolve())),
  };
}

const TOO_LONG = 'reading /hung has not ended after 10s: does its file system hang?';

async function settle(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await new Promise(setImmediate);
}

describe('Work on files', () => {
  test('runs one after the other, in order', async () => {
    const { turns: _, begun, end, hanging, read } = setUp();
    const others = ['a', 'b', 'c'].map(read);
    await settle();
    expect(begun).toEqual(['hung']);
    end();
    expect(await Promise.all([hanging, ...others])).toEqual(['hung', 'a', 'b', 'c']);
    expect(begun).toEqual(['hung', 'a', 'b', 'c']);
  });

  test('that hangs fails after a time, and so does everything that waits for it, without beginning', async () => {
    const { clock, begun, hanging, read } = setUp();
    const waiting = read('a');
    await settle();
    clock.advance(LONGEST_MS);
    await expect(hanging).rejects.toThrow(TOO_LONG);
    await expect(waiting).rejects.toThrow(TOO_LONG);
    // At once: the clock does not move any more.
    await expect(read('b')).rejects.toThrow(TOO_LONG);
    expect(begun).toEqual(['hung']);
  });

  test('runs again when the work that hung has ended', async () => {
    const { clock, turns, end, hanging, read } = setUp();
    await settle();
    clock.advance(LONGEST_MS);
    await expect(hanging).rejects.toThrow(TOO_LONG);
    await expect(turns.idle()).rejects.toThrow(TOO_LONG);
    end();
    await settle();
    await turns.idle();
    expect(await read('a')).toBe('a');
    expect(clock.timers).toBe(0);
  });

  test('that fails ends its turn', async () => {
    const turns = new FileTurns();
    const failing = turns.run('failing', async () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await turns.run('next', async () => 1)).toBe(1);
  });
});
