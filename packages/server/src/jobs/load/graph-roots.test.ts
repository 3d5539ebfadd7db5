import { expect, jest, test } from '@jest/globals';
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

test('tags may overlap: each is read only as far as its struct', () => {
  const writer = withTag('contains:element:node');
  const period = 'contains:element:';
  const start = writer.string(period.repeat(20_000));
  for (let index = 0; index < 20_000; index++) {
    writer.type(Kind.STRUCT, '', { vlen: 1, data: ['head', 9, 0] });
    writer.type(Kind.DECL_TAG, 'x', { sizeOrTypeId: writer.nextId - 1, data: [0] });
  }
  const bytes = writer.bytes();
  const view = new DataView(bytes.buffer);
  // The name of each tag begins at another period of the string.
  const first = 32 + 4 * (3 + 3 + (3 + 30) + (3 + 3_000) + 4);
  for (let index = 0; index < 20_000; index++) {
    view.setUint32(first + 4 * (10 * index + 6), start + period.length * index, true);
  }
  const btf = readRaw(bytes);
  const read = jest.spyOn(Buffer.prototype, 'toString');
  const roots = new GraphRoots(btf);
  for (let id = 5; id < btf.end; id += 2) roots.costOf(id, 0);
  const characters = read.mock.calls.reduce((sum, [, from, to]) => sum + Number(to) - Number(from), 0);
  read.mockRestore();
  expect(roots.costOf(5, 0).memberNs).toBeGreaterThan(1_000 * 5);
  expect(characters).toBeGreaterThan(20_000);
  expect(characters).toBeLessThan(2_000_000);
});
