import { expect, test } from '@jest/globals';
import { Kind } from '@btfd/btf';
import { BtfWriter } from '../../testing/btf-bytes.js';
import { allSteps } from '../../testing/collect.js';
import { readRaw } from '../../testing/raw-btf.js';
import { mostPassNs, passCost } from './pass-cost.js';

const costOf = (writer: BtfWriter) => allSteps(passCost(readRaw(writer.bytes()))).value;

/** Elements of a kind that share a name. */
function elements(kind: number, words: number, count: number, name: string): BtfWriter {
  const writer = new BtfWriter();
  const offset = writer.string(name);
  const data = Array.from({ length: count }, () => [offset, ...Array<number>(words - 1).fill(0)]).flat();
  return writer.type(kind, '', { vlen: count, data });
}

test.each([
  ['members', Kind.STRUCT, 3],
  ['values', Kind.ENUM, 2],
  ['large values', Kind.ENUM64, 3],
  ['parameters', Kind.FUNC_PROTO, 2],
])('characters of the names of %s count, in the check up to the longest valid name', (_, kind, words) => {
  const none = costOf(elements(kind, words, 1_000, ''));
  const valid = costOf(elements(kind, words, 1_000, 'x'.repeat(500)));
  const long = costOf(elements(kind, words, 1_000, 'x'.repeat(100_000)));
  expect(valid.checkNs - none.checkNs).toBeCloseTo(1_000 * 500 * 0.8, 0);
  expect(long.checkNs - none.checkNs).toBeLessThan(1_000 * 600 * 0.8);
  expect(long.logNs - none.logNs).toBeCloseTo(1_000 * 100_000, 0);
});

test('variables of a section and elements without names count', () => {
  const section = (vlen: number) =>
    costOf(new BtfWriter().type(Kind.DATASEC, '.data', { vlen, data: Array<number>(3 * vlen).fill(1) }));
  expect(section(1_000).checkNs).toBeGreaterThan(100 * section(1).checkNs);
});

test.each([
  ['a pointer', Kind.PTR],
  ['a function, which has its linkage there', Kind.FUNC],
  ['an array', Kind.ARRAY],
])('%s has no elements, whatever its vlen is', (_, kind) => {
  const cost = (vlen: number) => costOf(new BtfWriter().type(kind, '', { vlen, data: [1, 1, 1] }));
  expect(cost(0xffffff)).toEqual(cost(0));
});

test('all parameters count for each function, also if the prototype follows', () => {
  const writer = new BtfWriter();
  for (let index = 0; index < 100; index++) writer.type(Kind.FUNC, 'f', { sizeOrTypeId: 101 });
  const { checkNs } = costOf(
    writer.type(Kind.FUNC_PROTO, '', { vlen: 5_000, data: Array<number>(10_000).fill(0) }),
  );
  expect(checkNs).toBeGreaterThan(100 * 5_000);
});

test('a function of a type that does not exist, or is not a prototype, costs nothing more', () => {
  const cost = (to: number) => costOf(new BtfWriter().type(Kind.FUNC, 'f', { sizeOrTypeId: to })).checkNs;
  expect(cost(1_000_000)).toBe(cost(1));
});

test('no BTF costs more than the most for its size', () => {
  const shapes = [
    elements(Kind.FUNC_PROTO, 2, 5_000, 'x'.repeat(500)),
    elements(Kind.ENUM, 2, 10, ''),
    new BtfWriter().type(Kind.TYPE_TAG, 'x'.repeat(100_000)),
  ];
  for (const writer of shapes) {
    const btf = readRaw(writer.bytes());
    const { checkNs, logNs } = allSteps(passCost(btf)).value;
    expect(2 * checkNs + logNs).toBeLessThanOrEqual(mostPassNs(btf.typeBytes, btf.longestName));
  }
});
