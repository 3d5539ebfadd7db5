import { expect, test } from '@jest/globals';
import { Builder } from '../build/builder.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind } from '../types.js';
import { essentialName } from './flavours.js';
import { nearNames, nearTypeNames } from './near-names.js';

const builder = new Builder({ deduplicate: false });
builder.add({ kind: 'STRUCT', name: 'task_struct', size: 0, members: [] });
builder.add({ kind: 'TYPEDEF', name: 'task_struct', typeId: 1 });
builder.add({ kind: 'UNION', name: 'task_strict', size: 0, members: [] });
builder.add({ kind: 'STRUCT', name: 'mask_struct', size: 0, members: [] });
builder.add({ kind: 'STRUCT', name: 'tree', size: 0, members: [] });
builder.add({ kind: 'PTR', typeId: 1 });
const spec = builder.toSpec();

test('names that begin the same way and differ little are suggested once, nearest first', () => {
  expect(nearTypeNames(spec, 'task_strukt')).toEqual(['task_struct', 'task_strict']);
  expect(nearTypeNames(spec, 'nothing_like_it')).toEqual([]);
});

test('only types of the given kinds and from the given id on are suggested', () => {
  expect(nearTypeNames(spec, 'task_strukt', { kinds: [Kind.UNION] })).toEqual(['task_strict']);
  expect(nearTypeNames(spec, 'task_strukt', { firstId: 3 })).toEqual(['task_strict']);
  expect(nearTypeNames(spec, 'task_struct')).toEqual(['task_strict']);
});

test('names that only differ in their flavour are suggested, however long it is', () => {
  const local = new Builder({ deduplicate: false });
  for (const name of ['task_struct___before_5_14', 'task_struct___old', 'task_group___old']) {
    local.add({ kind: 'STRUCT', name, size: 0, members: [] });
  }
  const flavours = local.toSpec();
  const both = ['task_struct___before_5_14', 'task_struct___old'];
  expect(nearTypeNames(flavours, 'task_struct')).toEqual(both);
  expect(nearTypeNames(flavours, 'task_struct___new')).toEqual(both);
  expect(nearTypeNames(spec, 'task_struct___old')).toEqual(['task_struct']);
});

test('names of a base and of split BTF are suggested, and those of the base only if asked for', () => {
  const split = new Builder({ base: spec });
  split.add({ kind: 'STRUCT', name: 'task_strucs', size: 0, members: [] });
  const module = Spec.parse(split.marshal(), { base: spec });
  expect(nearTypeNames(module, 'task_strukt')).toEqual(['task_struct', 'task_strict', 'task_strucs']);
  expect(nearTypeNames(module, 'task_strukt', { firstId: module.firstTypeId })).toEqual(['task_strucs']);
});

test('the names of a kernel are suggested as a comparison of all of them does', () => {
  const letters = ['a', 'b', '_', '_', 'c'];
  const word = (seed: number): string =>
    Array.from({ length: 3 + (seed % 9) }, (_, at) => letters[(seed >> (at % 7)) % 5] ?? '').join('');
  const names = [...new Set(Array.from({ length: 500 }, (_, seed) => `n${word(seed * 37)}`))];
  const all = new Builder({ deduplicate: false });
  for (const name of names) all.add({ kind: 'STRUCT', name, size: 0, members: [] });
  const kernel = all.toSpec();
  for (const name of names.slice(0, 200).map((each) => `${each.slice(0, 2)}x${each.slice(2)}`)) {
    const essential = essentialName(name);
    const flavours = names.filter((other) => essentialName(other) === essential);
    const others = names.filter((other) => !flavours.includes(other));
    expect(nearTypeNames(kernel, name)).toEqual([...flavours, ...nearNames(name, others, 2)].slice(0, 3));
  }
});

test('a malformed name gives no suggestions instead of an error', () => {
  const broken = Spec.parse(new BtfAssembler('little').type(Kind.TYPEDEF, 9_999).bytes());
  expect(() => broken.nameOf(1)).toThrow('after the end');
  expect(nearTypeNames(broken, 'x')).toEqual([]);
});

test('long names are not all compared: their characters are bounded too', () => {
  const long = 'a'.repeat(62);
  let read = 0;
  const names = function* (): Generator<string, void, undefined> {
    for (; read < 4_000; read++) yield `${long}${read % 10}`;
  };
  expect(nearNames(`${long}x`, names())).toHaveLength(3);
  expect(read).toBeLessThan(500);
});

test.each([
  ['', 'abc', 0],
  ['abcdef', 'abcdef', 0],
  ['abcdef', 'bcdef', 1],
  ['abcdef', 'abcdefg', 1],
  ['abcdef', 'axcdef', 1],
  ['abcdef', 'bacdef', 2],
  ['abcdef', 'cdefab', 4],
])('%s is near %s if %i characters may differ', (name, other, distance) => {
  for (const most of [0, 1, 2, 3, 4]) {
    const isNear = most >= distance && distance <= Math.ceil(name.length / 3);
    expect(nearNames(name, [other], most)).toEqual(isNear && name !== '' ? [other] : []);
  }
});
