import { describe, expect, test } from '@jest/globals';
import { children } from '../query/references.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler, UNKNOWN_KIND } from '../testing/assemble-btf.js';
import { Kind } from '../types.js';
import { permuteTypes } from './permute.js';

const ORDERS = ['little', 'big'] as const;

const pair = (order: 'little' | 'big' = 'little'): BtfAssembler =>
  new BtfAssembler(order)
    .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 8, data: ['next', 2, 0] })
    .type(Kind.PTR, 0, { sizeOrTypeId: 1 });

describe('permuteTypes', () => {
  test.each(ORDERS)(
    'changes the ids in types of every kind, %s-endian, and a second call changes them back',
    (order) => {
      const bytes = assembleAllKinds(order).bytes();
      const spec = Spec.parse(bytes);
      const { bytes: reversed, ids } = permuteTypes(spec, [...spec.typeIds()].toReversed());
      const other = Spec.parse(reversed);
      expect(other.byteOrder).toBe(order);
      for (const type of spec) {
        const moved = other.typeById(ids[type.id] ?? 0);
        expect([moved.kind, moved.name]).toEqual([type.kind, type.name]);
        expect(children(moved)).toEqual(children(type).map((id) => ids[id]));
      }
      expect(permuteTypes(other, [...other.typeIds()].toReversed()).bytes).toEqual(bytes);
    },
  );

  test('moves the own types of split BTF, and keeps its references to the base', () => {
    const base = pair();
    const split = new BtfAssembler('little', base.stringEnd)
      .type(Kind.TYPEDEF, 'a', { sizeOrTypeId: 1 }) // 3
      .type(Kind.TYPEDEF, 'b', { sizeOrTypeId: 3 }); // 4
    const spec = Spec.parse(split.bytes(), { base: Spec.parse(base.bytes()) });
    const { bytes, ids } = permuteTypes(spec, [4, 3]);
    expect([...Spec.parse(bytes, { base: spec.base })]).toMatchObject([
      { name: 'b', typeId: 4 },
      { name: 'a', typeId: 1 },
    ]);
    expect([...ids]).toEqual([0, 1, 2, 4, 3]);
  });

  test('writes a header of 24 bytes, and sections in the usual order', () => {
    // Strings before types, and a header with zeros after its fields.
    const usual = pair().bytes({ headerLength: 28 });
    const strings = usual.length - 28 - 36;
    const unusual = new Uint8Array(usual.length);
    unusual.set(usual.subarray(0, 28));
    new Uint32Array(unusual.buffer, 8, 4).set([8, 36, 0, strings]);
    unusual.set(usual.subarray(28 + 36), 28);
    unusual.set(usual.subarray(28, 28 + 36), 28 + 8);
    expect(strings).toBe(8);
    expect(permuteTypes(Spec.parse(unusual), [1, 2]).bytes).toEqual(pair().bytes());
  });

  test.each<[string, unknown[], string]>([
    ['lacks a type', [1], 'type id 2 is not in the order'],
    ['is empty', [], 'type id 1 is not in the order'],
    ['has a type twice', [1, 2, 1], 'type id 1 is in the order twice'],
    ['has void', [0, 1, 2], 'type id 0 is not one of the ids 1 to 2'],
    ['has a type that does not exist', [1, 2, 3], 'type id 3 is not one of the ids 1 to 2'],
    ['has something else', [1, 'x'], 'type id x is not one of the ids 1 to 2'],
  ])('rejects an order that %s', (_, order, message) => {
    const spec = Spec.parse(pair().bytes());
    expect(() => Reflect.apply(permuteTypes, null, [spec, order])).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
    );
  });

  test('rejects an order with a type of the base', () => {
    const base = Spec.parse(pair().bytes());
    const bytes = new BtfAssembler('little', 8).type(Kind.PTR, 0, { sizeOrTypeId: 1 }).bytes();
    expect(() => permuteTypes(Spec.parse(bytes, { base }), [1])).toThrow('not one of the ids 3 to 3');
  });

  test('rejects references that do not exist, and unknown kinds', () => {
    const dangling = new BtfAssembler('little').type(Kind.PTR, 0, { sizeOrTypeId: 0xffffffff });
    expect(() => permuteTypes(Spec.parse(dangling.bytes()), [1])).toThrow(
      'reference to type 4294967295: the largest id is 1',
    );
    const layout = Array.from({ length: UNKNOWN_KIND + 1 }, () => [0, 0] as const);
    const unknown = Spec.parse(
      new BtfAssembler('little').type(UNKNOWN_KIND, 'n').bytes({ headerLength: 32, layout }),
    );
    expect(() => permuteTypes(unknown, [1])).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  test('takes BTF without types', () => {
    const bytes = new BtfAssembler('little').bytes();
    expect(permuteTypes(Spec.parse(bytes), []).bytes).toEqual(bytes);
  });
});
