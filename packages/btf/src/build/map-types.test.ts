import { describe, expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind } from '../types.js';
import { validate } from '../validate/validate.js';
import { marshalMapKV } from './map-types.js';

/** The types of an object file: a key, a value with a pointer to itself, and much else. */
function objectTypes(): Spec {
  return Spec.parse(
    new BtfAssembler('little')
      .type(Kind.FLOAT, 'other', { sizeOrTypeId: 4 }) // 1
      .type(Kind.STRUCT, 'value', { vlen: 2, sizeOrTypeId: 16, data: ['next', 3, 0, 'count', 4, 64] }) // 2
      .type(Kind.PTR, 0, { sizeOrTypeId: 2 }) // 3
      .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] }) // 4
      .type(Kind.TYPEDEF, 'key', { sizeOrTypeId: 4 }) // 5
      .bytes(),
  );
}

const names = (bytes: Uint8Array): string[] => [...Spec.parse(bytes)].map(({ name }) => name);

describe('marshalMapKV', () => {
  test('writes the types of keys and values alone, and returns their ids', () => {
    const { bytes, keyTypeId, valueTypeId } = marshalMapKV(objectTypes(), 5, 2);
    const spec = Spec.parse(bytes);
    expect(names(bytes).toSorted()).toEqual(['', 'int', 'key', 'value']);
    expect([spec.nameOf(keyTypeId), spec.nameOf(valueTypeId)]).toEqual(['key', 'value']);
    expect(validate(spec)).toEqual([]);
  });

  test('returns the same id for keys and values of one type, and 0 for none', () => {
    expect(marshalMapKV(objectTypes(), 4, 4)).toMatchObject({ keyTypeId: 1, valueTypeId: 1 });
    const { bytes, ...ids } = marshalMapKV(objectTypes(), 0, 4);
    expect(ids).toEqual({ keyTypeId: 0, valueTypeId: 1 });
    expect(names(bytes)).toEqual(['int']);
    // The kernel rejects BTF without types.
    expect(names(marshalMapKV(objectTypes(), 0, 0).bytes)).toEqual(['']);
  });

  test('takes types of a module and of its base', () => {
    const base = objectTypes();
    const split = new BtfAssembler('little', 64).type(Kind.TYPEDEF, 0, { sizeOrTypeId: 2 });
    const spec = Spec.parse(split.bytes(), { base });
    expect(names(marshalMapKV(spec, 4, 6).bytes)).toHaveLength(4);
  });

  test('writes types for an older kernel, with the same ids', () => {
    const spec = Spec.parse(assembleAllKinds('little').bytes());
    const enum64 = [...spec].find(({ kind }) => kind === 'ENUM64');
    const { bytes, valueTypeId } = marshalMapKV(spec, 1, enum64?.id ?? 0, { replaceEnum64: true });
    expect(Spec.parse(bytes).typeById(valueTypeId)).toMatchObject({ kind: 'UNION', name: enum64?.name });
  });

  test('rejects ids that do not exist', () => {
    expect(() => marshalMapKV(objectTypes(), 6, 1)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });
});
