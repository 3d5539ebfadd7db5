import { expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind } from '../types.js';
import { datasecVars } from './datasec-vars.js';
import { declTagsOf } from './decl-tags.js';

const base = assembleAllKinds('little');
const spec = Spec.parse(base.bytes());

test('declTagsOf separates the tags of a type from those of its members, those of the base first', () => {
  const split = new BtfAssembler('little', base.stringEnd)
    .type(Kind.DECL_TAG, 'second', { sizeOrTypeId: 6, data: [1] })
    .type(Kind.DECL_TAG, 'alone', { sizeOrTypeId: 31, data: [-1] })
    .type(Kind.DECL_TAG, 'other', { sizeOrTypeId: 6, data: [-1] });
  const names = (of: Spec, id: number): unknown => {
    const { own, components } = declTagsOf(of, id);
    return [
      own.map(({ name }) => name),
      [...components].map(([at, tags]) => [at, tags.map(({ name }) => name)]),
    ];
  };
  expect(names(spec, 6)).toEqual([['tag'], [[1, ['tag_a']]]]);
  expect(names(spec, 8)).toEqual([[], []]);
  const whole = Spec.parse(split.bytes(), { base: spec });
  expect(names(whole, 6)).toEqual([['tag', 'other'], [[1, ['tag_a', 'second']]]]);
  expect(names(whole, 31)).toEqual([['alone'], []]);
  expect(names(spec, 6)).toEqual([['tag'], [[1, ['tag_a']]]]);
  expect(() => declTagsOf(spec, 30)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
});

test('datasecVars lists variables with name, type and place', () => {
  expect(datasecVars(spec, 22)).toEqual([
    { name: 'counter', id: 21, typeId: 1, linkage: 1, offset: 60, size: 4 },
  ]);
  expect(() => datasecVars(spec, 21)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  const odd = new BtfAssembler('little')
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.FUNC, 'outer', { vlen: 2, sizeOrTypeId: 4 })
    .type(Kind.DATASEC, '.ksyms', { vlen: 1, data: [2, 0, 0] })
    .type(Kind.FUNC_PROTO, '')
    .type(Kind.DATASEC, '.bss', { vlen: 1, data: [1, 0, 0] });
  const parsed = Spec.parse(odd.bytes());
  expect(datasecVars(parsed, 3)).toEqual([
    { name: 'outer', id: 2, typeId: 4, linkage: 2, offset: 0, size: 0 },
  ]);
  expect(() => datasecVars(parsed, 5)).toThrow(expect.objectContaining({ code: 'MALFORMED', typeId: 5 }));
});
