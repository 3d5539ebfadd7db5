import { expect, test } from '@jest/globals';
import { Kind } from '@btfd/btf';
import { BtfWriter } from '../../testing/btf-bytes.js';
import { readRaw } from '../../testing/raw-btf.js';
import { GraphRoots } from './graph-roots.js';

/** A struct with a root, and structs of one name, of which the second has more members. */
function withTag(tag: string, component = 0) {
  const data = (count: number) => Array.from({ length: count }, () => ['member', 1, 0]).flat();
  return new BtfWriter()
    .type(Kind.STRUCT, 'owner', { vlen: 1, data: ['head', 9, 0] })
    .type(Kind.STRUCT, 'element', { vlen: 10, data: data(10) })
    .type(Kind.STRUCT, 'element', { vlen: 1_000, data: data(1_000) })
    .type(Kind.DECL_TAG, tag, { sizeOrTypeId: 1, data: [component] });
}

const costOf = (writer: BtfWriter) => new GraphRoots(readRaw(writer.bytes())).costOf(1, 0);

test('the members of the largest struct of the name count', () => {
  const { memberNs } = costOf(withTag('contains:element:node'));
  expect(memberNs).toBeGreaterThan(1_000 * 5);
  expect(memberNs).toBeLessThan(1_000 * 12);
});

test.each([
  ['names no struct', withTag('contains:other:node')],
  ['has no colon', withTag('contains:element')],
  ['is of another kind', withTag('maintains:element:node')],
  ['is on another member', withTag('contains:element:node', 1)],
  ['is on the struct itself', withTag('contains:element:node', -1)],
])('a root whose tag %s costs only the search for it', (_, writer) => {
  const { searchNs, memberNs } = costOf(writer);
  expect(memberNs).toBe(0);
  expect(searchNs).toBeGreaterThan(0);
});

test('the kernel compares a name only as far as the tag has it', () => {
  const short = costOf(withTag('contains:element:n')).memberNs;
  const long = costOf(withTag(`contains:element:${'n'.repeat(500)}`)).memberNs;
  expect(long).toBeGreaterThan(1.5 * short);
  expect(long).toBe(costOf(withTag(`contains:element:${'n'.repeat(5_000)}`)).memberNs);
});

test('a long tag costs time itself', () => {
  const long = costOf(withTag(`contains:${'x'.repeat(100_000)}:node`)).searchNs;
  expect(long).toBeGreaterThan(costOf(withTag('contains:x:node')).searchNs + 100_000);
});
