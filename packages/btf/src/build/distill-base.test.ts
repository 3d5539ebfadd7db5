import { describe, expect, test } from '@jest/globals';
import { relocateSplit } from '../elf/relocate-split.js';
import { children } from '../query/references.js';
import { Spec } from '../spec.js';
import { BtfAssembler, UNKNOWN_KIND } from '../testing/assemble-btf.js';
import { Kind } from '../types.js';
import { distillBase, type Distilled } from './distill-base.js';

const ORDERS = ['little', 'big'] as const;

/** One type of each kind that split BTF may need, and some that it does not. */
function fullBase(order: 'little' | 'big' = 'little'): BtfAssembler {
  return new BtfAssembler(order)
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [(1 << 24) | 32] }) // 1
    .type(Kind.FLOAT, 'double', { sizeOrTypeId: 8 }) // 2
    .type(Kind.STRUCT, 'unused', { vlen: 1, sizeOrTypeId: 4, data: ['m', 1, 0] }) // 3
    .type(Kind.STRUCT, 'task', { vlen: 2, kindFlag: true, sizeOrTypeId: 16, data: ['u', 3, 0, 'p', 5, 64] }) // 4
    .type(Kind.PTR, 0, { sizeOrTypeId: 4 }) // 5
    .type(Kind.UNION, 'u', { sizeOrTypeId: 2 }) // 6
    .type(Kind.STRUCT, 0, { vlen: 2, sizeOrTypeId: 8, data: ['a', 1, 0, 'e', 8, 32] }) // 7
    .type(Kind.ENUM, 'e', { vlen: 1, kindFlag: true, sizeOrTypeId: 4, data: ['A', 1] }) // 8
    .type(Kind.ENUM64, 'e64', { vlen: 1, sizeOrTypeId: 8, data: ['B', 1, 2] }) // 9
    .type(Kind.ENUM, 0, { vlen: 1, sizeOrTypeId: 4, data: ['C', 3] }) // 10
    .type(Kind.FWD, 'f', { kindFlag: true }) // 11
    .type(Kind.TYPEDEF, 't', { sizeOrTypeId: 7 }) // 12
    .type(Kind.ARRAY, 0, { data: [12, 1, 3] }) // 13
    .type(Kind.FUNC_PROTO, 0, { vlen: 1, sizeOrTypeId: 6, data: ['x', 13] }) // 14
    .type(Kind.CONST, 0, { sizeOrTypeId: 0 }) // 15
    .type(Kind.FUNC, 'func', { vlen: 1, sizeOrTypeId: 14 }) // 16
    .type(Kind.TYPE_TAG, 'tag', { sizeOrTypeId: 15 }); // 17
}

function distilled(split: (btf: BtfAssembler) => void, base = fullBase()): Distilled {
  const btf = new BtfAssembler('little', base.stringEnd);
  split(btf);
  return distillBase(Spec.parse(btf.bytes(), { base: Spec.parse(base.bytes()) }));
}

const textOf = (spec: Spec): string[] =>
  [...spec].map((type) => `${type.id} ${type.kind} ${type.name} ${children(type).join()}`.trim());

describe('distillBase', () => {
  test.each(ORDERS)('keeps named types without their parts, and moves all others, %s-endian', (order) => {
    const base = fullBase(order);
    const btf = new BtfAssembler(order, base.stringEnd)
      .type(Kind.FUNC, 'own', { sizeOrTypeId: 14 }) // 18
      .type(Kind.STRUCT, 's', {
        vlen: 4,
        sizeOrTypeId: 40,
        data: ['a', 5, 0, 'b', 9, 64, 'c', 10, 128, 'd', 11, 192],
      })
      .type(Kind.PTR, 0, { sizeOrTypeId: 17 }) // 20
      .type(Kind.FLOAT, 'double', { sizeOrTypeId: 8 }); // 21
    const full = Spec.parse(base.bytes());
    const spec = Spec.parse(btf.bytes(), { base: full });
    const { bytes, baseBytes, ids } = distillBase(spec);
    const below = Spec.parse(baseBytes);
    const result = Spec.parse(bytes, { base: below });
    expect([result.byteOrder, below.byteOrder]).toEqual([order, order]);
    expect(textOf(below)).toEqual([
      '1 INT int',
      '2 STRUCT task',
      '3 UNION u',
      '4 ENUM e',
      '5 ENUM e64',
      '6 FWD f',
    ]);
    expect([...below]).toMatchObject([
      { size: 4, encoding: 1 },
      { size: 16, members: [] },
      { size: 2 },
      { size: 4, signed: false, values: [] },
      { size: 8, values: [] },
      { union: true },
    ]);
    expect(textOf(result)).toEqual([
      '7 FUNC own 16',
      '8 STRUCT s 11,5,13,6',
      '9 PTR  18',
      '10 FLOAT double',
      '11 PTR  2',
      '12 STRUCT  1,4',
      '13 ENUM',
      '14 TYPEDEF t 12',
      '15 ARRAY  14,1',
      '16 FUNC_PROTO  3,15',
      '17 CONST  0',
      '18 TYPE_TAG tag 17',
    ]);
    expect([...ids]).toEqual([0, 1, 0, 0, 2, 11, 3, 12, 4, 5, 13, 6, 14, 15, 16, 17, 0, 18, 7, 8, 9, 10]);
    const moved = relocateSplit(result, full);
    expect(moved.typeById(moved.firstTypeId + 1)).toMatchObject({
      name: 's',
      members: [{}, { typeId: 9 }, {}, { typeId: 11 }],
    });
    expect(moved.typeById(29)).toMatchObject({ kind: 'TYPE_TAG', name: 'tag' });
  });

  test('distills a base together with its own base', () => {
    const lower = fullBase();
    const middle = new BtfAssembler('little', lower.stringEnd).type(Kind.STRUCT, 'mid', {
      vlen: 1,
      sizeOrTypeId: 4,
      data: ['m', 1, 0],
    });
    const middleSpec = Spec.parse(middle.bytes(), { base: Spec.parse(lower.bytes()) });
    const top = new BtfAssembler('little', middle.stringEnd)
      .type(Kind.PTR, 0, { sizeOrTypeId: 18 })
      .type(Kind.PTR, 0, { sizeOrTypeId: 4 });
    const { baseBytes, bytes } = distillBase(Spec.parse(top.bytes(), { base: middleSpec }));
    const below = Spec.parse(baseBytes);
    expect(textOf(below)).toEqual(['1 STRUCT task', '2 STRUCT mid']);
    expect(textOf(Spec.parse(bytes, { base: below }))).toEqual(['3 PTR  2', '4 PTR  1']);
  });

  test('writes an empty base for split BTF that needs nothing of it', () => {
    const { baseBytes, bytes } = distilled((btf) => btf.type(Kind.STRUCT, 'alone'));
    expect(Spec.parse(baseBytes).typeCount).toBe(0);
    expect(textOf(Spec.parse(bytes, { base: Spec.parse(baseBytes) }))).toEqual(['1 STRUCT alone']);
  });

  test('follows long chains and cycles of the base', () => {
    const base = new BtfAssembler('little');
    const length = 100_000;
    for (let i = 1; i <= length; i++) base.type(Kind.PTR, 0, { sizeOrTypeId: (i % length) + 1 });
    const { baseBytes, bytes } = distilled((btf) => btf.type(Kind.CONST, 0, { sizeOrTypeId: 7 }), base);
    const below = Spec.parse(baseBytes);
    expect([below.typeCount, Spec.parse(bytes, { base: below }).typeCount]).toEqual([0, length + 1]);
  });

  test.each<[string, string, string, (btf: BtfAssembler) => void]>([
    [
      'a function of the base',
      'MALFORMED',
      'type of kind 12 in its base, which cannot be distilled',
      (btf) => btf.type(Kind.DECL_TAG, 'd', { sizeOrTypeId: 16, data: [-1] }),
    ],
    [
      'a type that does not exist',
      'MALFORMED',
      'reference to type 99: the largest id is 18',
      (btf) => btf.type(Kind.PTR, 0, { sizeOrTypeId: 99 }),
    ],
    ['a name that does not exist', 'MALFORMED', 'string offset 9999', (btf) => btf.type(Kind.STRUCT, 9999)],
  ])('rejects %s', (_, code, message, split) => {
    expect(() => distilled(split)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test('rejects unknown kinds, enums of other sizes, and BTF without a base', () => {
    const layout = Array.from({ length: UNKNOWN_KIND + 1 }, () => [0, 0] as const);
    const on = (base: BtfAssembler): Spec => {
      const below = Spec.parse(base.bytes({ headerLength: 32, layout }));
      const btf = new BtfAssembler('little', base.stringEnd).type(Kind.PTR, 0, { sizeOrTypeId: 1 });
      return Spec.parse(btf.bytes(), { base: below });
    };
    expect(() => distillBase(on(new BtfAssembler('little').type(UNKNOWN_KIND, 'n')))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', typeId: 1 }),
    );
    expect(() =>
      distillBase(on(new BtfAssembler('little').type(Kind.ENUM, 'e', { sizeOrTypeId: 3 }))),
    ).toThrow('invalid size 3 of an enum');
    expect(() => distillBase(Spec.parse(fullBase().bytes()))).toThrow(
      expect.objectContaining({ code: 'MISSING_BASE' }),
    );
  });
});
