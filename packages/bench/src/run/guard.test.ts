import { describe, expect, test } from '@jest/globals';
import { judge, record } from './guard.js';

const GUARDS = [{ metric: 'cpuUs', peer: 'libbpf' }] as const;
const ROW = { name: 'library/index', guards: GUARDS };
const RECORDED = { 'library/index': { libbpf: 0.3 } };

describe('A guard', () => {
  test('holds up to twice the recorded ratio', () => {
    expect(judge(ROW, { libbpf: [0.6] }, RECORDED)).toMatchObject([{ outcome: 'holds', bound: 0.6 }]);
  });

  test('fails above it', () => {
    expect(judge(ROW, { libbpf: [0.61, 0.7] }, RECORDED)).toEqual([
      {
        row: 'library/index',
        peer: 'libbpf',
        best: 0.61,
        bound: 0.6,
        outcome: 'fails',
        reason: 'more than 2 × the recorded ratio',
      },
    ]);
  });

  test('counts the best round', () => {
    expect(judge(ROW, { libbpf: [5, 0.4, 9] }, RECORDED)).toMatchObject([{ outcome: 'holds', best: 0.4 }]);
  });

  test('fails without a recorded ratio, and names the command that records it', () => {
    expect(judge(ROW, { libbpf: [0.1] }, {})).toMatchObject([
      { outcome: 'fails', reason: expect.stringContaining('--record') },
    ]);
  });

  test('is left out without its peer', () => {
    expect(judge(ROW, {}, RECORDED)).toMatchObject([
      { outcome: 'left out', best: null, reason: 'libbpf is missing' },
    ]);
  });

  const bounded = {
    name: 'wire/get-close-1',
    guards: [{ metric: 'cpuUs', peer: 'bare', atMost: 3 }],
  } as const;

  test.each([
    [2.9, 2, 'holds'],
    [3.1, 2, 'fails'],
    [3.1, 1, 'fails'],
    [2.5, 1, 'fails'],
  ])('with a bound of its own: %d with %d recorded %s', (ratio, known, outcome) => {
    const recorded = { 'wire/get-close-1': { bare: known } };
    expect(judge(bounded, { bare: [ratio] }, recorded)).toMatchObject([{ outcome }]);
  });

  test('with a bound of its own needs no recorded ratio', () => {
    expect(judge(bounded, { bare: [2] }, {})).toMatchObject([{ outcome: 'holds', bound: 3 }]);
    expect(judge(bounded, { bare: [4] }, {})).toMatchObject([
      { outcome: 'fails', reason: 'more than 3 × bare' },
    ]);
  });
});

test('Recording replaces the ratios that were measured, and keeps all others', () => {
  const before = { 'wire/b': { bare: 1, go: 2 }, 'library/a': { libbpf: 3 } };
  const measured = new Map([
    ['wire/b', { bare: [1.5, 9, 1.23456], go: [] }],
    ['task/c', { go: [0.5] }],
  ]);
  const after = record(before, measured);
  expect(after).toEqual({
    'library/a': { libbpf: 3 },
    'task/c': { go: 0.5 },
    'wire/b': { bare: 1.5, go: 2 },
  });
  expect(Object.keys(after)).toEqual(['library/a', 'task/c', 'wire/b']);
});
