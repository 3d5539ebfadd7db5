import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Clock } from '../base/clock.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { FakeProc } from '../testing/fake-proc.js';
import { ManualClock } from '../testing/manual-clock.js';
import { UserScanner } from './user-scanner.js';

const NOBODY = { programs: [], maps: [], processes: [] };

/** A clock on which every step takes 10 ms. */
function slowClock(): Clock {
  let time = 0;
  return { now: () => (time += 10), after: () => ({ cancel: () => {} }) };
}

describe('A scan', () => {
  test('returns the programs, maps and processes that use each object', async () => {
    using proc = new FakeProc();
    const kernel = new FakeKernel();
    kernel.programs.add('plain', 0);
    kernel.programs.add('first', 5);
    kernel.programs.add('second', 5);
    kernel.programs.add('other', 6);
    kernel.maps.add('plain', 0);
    kernel.maps.add('counters', 5, 1, 2);
    proc.add(20, 'holder', 5, 7);
    const index = await new UserScanner(kernel, proc.path, new ManualClock()).scan();
    expect(index.of(5)).toEqual({
      programs: [
        { id: 2, name: 'first' },
        { id: 3, name: 'second' },
      ],
      maps: [{ id: 2, name: 'counters', keyTypeId: 1, valueTypeId: 2 }],
      processes: [{ pid: 20, command: 'holder' }],
    });
    expect(index.of(6)).toEqual({ ...NOBODY, programs: [{ id: 4, name: 'other' }] });
    expect(index.of(7)).toEqual({ ...NOBODY, processes: [{ pid: 20, command: 'holder' }] });
    expect([index.of(8), index.of(0)]).toEqual([NOBODY, NOBODY]);
  });

  test('skips programs and maps that vanish meanwhile', async () => {
    using proc = new FakeProc();
    const kernel = new FakeKernel();
    for (const objects of [kernel.programs, kernel.maps]) {
      objects.add('gone', 5);
      objects.add('there', 5);
      objects.vanishing.add(1);
    }
    const index = await new UserScanner(kernel, proc.path, new ManualClock()).scan();
    const there = { id: 2, name: 'there' };
    expect(index.of(5)).toEqual({
      programs: [there],
      maps: [{ ...there, keyTypeId: 0, valueTypeId: 0 }],
      processes: [],
    });
  });
});

describe('Scans', () => {
  test('that are requested together are one', async () => {
    using proc = new FakeProc();
    const kernel = new FakeKernel();
    const scanner = new UserScanner(kernel, proc.path, new ManualClock());
    const [first, second] = await Promise.all([scanner.scan(), scanner.scan()]);
    expect(first).toBe(second);
    expect(kernel.programs.walks).toBe(1);
  });

  test('that are requested during a scan share the next one', async () => {
    using proc = new FakeProc();
    const kernel = new FakeKernel();
    for (let i = 0; i < 10; i++) kernel.programs.add('early', 5);
    const scanner = new UserScanner(kernel, proc.path, slowClock());
    const first = scanner.scan();
    await setImmediate();
    const [second, third] = [scanner.scan(), scanner.scan()];
    await setImmediate();
    expect(kernel.programs.walks).toBe(1);
    await first;
    kernel.programs.add('late', 6);
    const late = [{ id: 11, name: 'late' }];
    expect((await second).of(6).programs).toEqual(late);
    expect(await third).toBe(await second);
    expect((await first).of(6).programs).toEqual([]);
    expect(kernel.programs.walks).toBe(2);
  });

  test('fail with their own error, and the next one works', async () => {
    using proc = new FakeProc();
    const kernel = new FakeKernel();
    const scanner = new UserScanner(kernel, proc.path, new ManualClock());
    kernel.maps.failure = bpfError('BPF_MAP_GET_NEXT_ID', 'ENOMEM');
    const both = [scanner.scan(), scanner.scan()];
    for (const failed of both) await expect(failed).rejects.toThrow('ENOMEM');
    kernel.maps.failure = null;
    kernel.maps.add('counters', 5);
    expect((await scanner.scan()).of(5).maps).toMatchObject([{ id: 1, name: 'counters' }]);
  });
});
