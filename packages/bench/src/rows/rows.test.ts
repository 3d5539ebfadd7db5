import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Spec } from '@btfd/btf';
import { OWN } from '../run/row.js';
import { growingBtf } from './growing-btf.js';
import { costsOf, tinyBtf } from './library.js';
import { slowestCosts } from './objects.js';
import { ROWS } from './rows.js';

test('Rows have different names, and begin with btfd', () => {
  const names = ROWS.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  expect(ROWS.filter(({ subjects }) => Object.keys(subjects)[0] !== OWN)).toEqual([]);
});

test('Goals and guards name subjects of their rows', () => {
  const unknown = ROWS.flatMap(({ name, subjects, goals = [], guards = [], over }) =>
    [...goals, ...guards, ...(over === undefined ? [] : [{ peer: over }])]
      .filter(({ peer }) => peer !== null && !(peer in subjects))
      .map(({ peer }) => `${name}: ${String(peer)}`),
  );
  expect(unknown).toEqual([]);
});

test('guards.json has the ratio of each guard, and no other', () => {
  const recorded: object = JSON.parse(readFileSync(new URL('../../guards.json', import.meta.url), 'utf8'));
  const inFile = Object.entries(recorded).map(([row, peers]) => [row, Object.keys(peers).toSorted()]);
  const inRows = ROWS.filter(({ guards }) => guards !== undefined).map(({ name, guards = [] }) => [
    name,
    guards.map(({ peer }) => peer).toSorted(),
  ]);
  expect(Object.fromEntries(inFile)).toEqual(Object.fromEntries(inRows));
});

test('The first repetition of a driver is the cold one, and the second half is warm', () => {
  expect(costsOf([900, 500, 10, 30, 20], [1_000, 600, 11, 31, 21])).toEqual({
    coldCpuUs: 900,
    coldWallUs: 1_000,
    cpuUs: 25,
    wallUs: 26,
  });
  expect(() => costsOf([1], [1])).toThrow('at least once');
});

test('The slowest object is that with the largest median', () => {
  const objects = [
    { cpuUs: [90, 2, 4, 6], wallUs: [91, 3, 5, 7] },
    { cpuUs: [10, 50, 3, 3], wallUs: [11, 51, 4, 4] },
  ];
  expect(slowestCosts({ objects })).toEqual({ coldCpuUs: 90, coldWallUs: 91, cpuUs: 5, wallUs: 6 });
});

test('The BTF of rows is valid, and has as many types as requested', () => {
  expect(Spec.parse(tinyBtf()).typeCount).toBe(1);
  const { typeCount } = Spec.parse(growingBtf(10_000));
  expect(typeCount).toBeGreaterThanOrEqual(10_000);
  expect(typeCount).toBeLessThan(10_010);
});
