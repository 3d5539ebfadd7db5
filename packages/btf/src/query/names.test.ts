import { describe, expect, test } from '@jest/globals';
import { BtfFormatError } from '../format-error.js';
import { BtfLookupError } from '../lookup-error.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { Kind } from '../types.js';
import { essentialName, flavourOf, typesByEssentialName } from './flavours.js';
import { typeByName, typesByName } from './names.js';

const base = new BtfAssembler('little')
  .type(Kind.STRUCT, 'file', { sizeOrTypeId: 8 }) // 1
  .type(Kind.FUNC_PROTO, '', {}) // 2
  .type(Kind.FUNC, 'file', { sizeOrTypeId: 2 }) // 3
  .type(Kind.STRUCT, 'twin', { sizeOrTypeId: 4 }) // 4
  .type(Kind.STRUCT, 'twin', { sizeOrTypeId: 8 }) // 5
  .type(Kind.STRUCT, 'file___old', { sizeOrTypeId: 4 }); // 6
const split = new BtfAssembler('little', base.stringEnd)
  .type(Kind.UNION, 'file', { sizeOrTypeId: 4 }) // 7
  .type(Kind.UNION, 'file___x___new', { sizeOrTypeId: 4 }) // 8
  .type(Kind.UNION, 'file___new', { sizeOrTypeId: 4 }); // 9
const spec = Spec.parse(split.bytes(), { base: Spec.parse(base.bytes()) });
const ids = (types: readonly { readonly id: number }[]): number[] => types.map(({ id }) => id);

describe('by name', () => {
  test('typesByName finds all types, or those of a kind', () => {
    expect(ids(typesByName(spec, 'file'))).toEqual([1, 3, 7]);
    expect(ids(typesByName(spec, 'file', 'FUNC'))).toEqual([3]);
    expect(ids(typesByName(spec, 'file', 'ENUM'))).toEqual([]);
    expect(ids(typesByName(spec, 'file', 'UNKNOWN'))).toEqual([]);
    expect(ids(typesByName(spec, 'twin', 'STRUCT'))).toEqual([4, 5]);
  });

  test('typeByName finds one type, typed by its kind', () => {
    const size: number = typeByName(spec, 'file', 'UNION').size;
    expect(size).toBe(4);
    expect(typeByName(spec, 'file___old').id).toBe(6);
  });

  test('no type and several types are errors with codes of their own', () => {
    expect(() => typeByName(spec, 'nothing')).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', message: 'no type named "nothing"' }),
    );
    expect(() => typeByName(spec, 'file', 'ENUM')).toThrow('no ENUM named "file"');
    expect(() => typeByName(spec, 'twin', 'STRUCT')).toThrow(
      expect.objectContaining({
        code: 'AMBIGUOUS',
        message: 'more than one STRUCT named "twin": type ids 4, 5',
      }),
    );
  });

  test('the error of a look-up is not one of the format, and has similar names of the kind', () => {
    const missing = readErrorOf(() => typeByName(spec, 'fille', 'STRUCT'));
    expect(missing).toBeInstanceOf(BtfLookupError);
    expect(missing).not.toBeInstanceOf(BtfFormatError);
    expect(missing).toMatchObject({ name: 'BtfLookupError', wanted: 'fille', near: ['file'], typeIds: [] });
    expect(readErrorOf(() => typeByName(spec, 'fille', 'ENUM'))).toMatchObject({ near: [] });
    const twins = readErrorOf(() => typeByName(spec, 'twin'));
    expect(twins).toMatchObject({ code: 'AMBIGUOUS', wanted: 'twin', near: [], typeIds: [4, 5] });
    const noId = readErrorOf(() => spec.typeById(10));
    expect(noId).toMatchObject({ name: 'BtfLookupError', code: 'NOT_FOUND', wanted: 10, near: [] });
  });

  test('several types of different kinds are an error that says so', () => {
    expect(() => typeByName(spec, 'file')).toThrow(
      'more than one type named "file": type ids 1 (STRUCT), 3 (FUNC), 7 (UNION); give the kind',
    );
  });

  test('very many types are counted, not listed', () => {
    const many = new BtfAssembler('little');
    for (let i = 0; i < 500; i++) many.type(Kind.FLOAT, 1, { sizeOrTypeId: 4 });
    many.string('f');
    expect(() => typeByName(Spec.parse(many.bytes()), 'f')).toThrow(
      'type ids 1, 2, 3, 4, 5, 6, 7, 8 and 492 more',
    );
  });
});

test.each([
  ['task_struct', 'task_struct', ''],
  ['task_struct___v58', 'task_struct', 'v58'],
  ['a___b___c', 'a___b', 'c'],
  ['a___', 'a___', ''],
  ['___a', '___a', ''],
  ['a____b', 'a____b', ''],
  ['a___b_', 'a', 'b_'],
  ['a_____b___c', 'a_____b', 'c'],
  ['a__b', 'a__b', ''],
  ['', '', ''],
])('the essential name of "%s" is "%s", its flavour "%s"', (name, essential, flavour) => {
  expect([essentialName(name), flavourOf(name)]).toEqual([essential, flavour]);
});

test('names longer than the kernel accepts, which a million types may share, are not searched for a flavour', () => {
  const name = (length: number) => `a___${'_'.repeat(length - 5)}b`;
  const btf = new BtfAssembler('little')
    .type(Kind.FWD, `a___${'b'.repeat(508)}`)
    .type(Kind.FWD, `a___${'b'.repeat(509)}`);
  for (const length of [512, 513]) btf.type(Kind.FWD, name(length));
  expect(ids(typesByEssentialName(Spec.parse(btf.bytes()), 'a'))).toEqual([1]);
});

test('types are found in every flavour', () => {
  expect(ids(typesByEssentialName(spec, 'file'))).toEqual([1, 3, 6, 7, 9]);
  expect(ids(typesByEssentialName(spec, 'file___any'))).toEqual([1, 3, 6, 7, 9]);
  expect(ids(typesByEssentialName(spec, 'file___x___new'))).toEqual([8]);
  expect(ids(typesByEssentialName(spec, 'none'))).toEqual([]);
});
