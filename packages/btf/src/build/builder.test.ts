import { describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler, UNKNOWN_KIND } from '../testing/assemble-btf.js';
import { bpftoolJson, dumpBytes } from '../testing/bpftool.js';
import { Kind, type Type } from '../types.js';
import { BtfBuildError } from './build-error.js';
import { Builder } from './builder.js';
import type { NewType } from './field-checks.js';

const INT: NewType = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 };
const ORDERS = ['little', 'big'] as const;

/** A list element `struct <name> { struct <name> *next; }` and a chain of types that lead to it. */
function listSpec(name: string, before: number): Spec {
  const btf = new BtfAssembler('little');
  for (let i = 0; i < before; i++) btf.type(Kind.FLOAT, `f${i}`, { sizeOrTypeId: 4 });
  btf.type(Kind.STRUCT, name, { vlen: 1, sizeOrTypeId: 8, data: ['next', before + 2, 0] });
  btf.type(Kind.PTR, '', { sizeOrTypeId: before + 1 });
  btf.type(Kind.TYPEDEF, 'alias', { sizeOrTypeId: before + 2 });
  return Spec.parse(btf.bytes());
}

describe('Builder', () => {
  test.each([true, false])(
    'adds a type with more tags than a call takes arguments (deduplicate: %p)',
    (deduplicate) => {
      const btf = new BtfAssembler('little').type(Kind.STRUCT, 's');
      for (let i = 0; i < 150_000; i++) btf.type(Kind.DECL_TAG, 2, { sizeOrTypeId: 1, data: [i] });
      const builder = new Builder({ deduplicate });
      builder.addFrom(Spec.parse(btf.bytes()), 1);
      expect(builder.typeCount).toBe(150_001);
    },
  );

  test('writes types that are added by value as the words of the format', () => {
    const builder = new Builder();
    const int = builder.add(INT);
    const pointer = builder.add({ kind: 'PTR', typeId: int });
    builder.add({
      kind: 'STRUCT',
      name: 'int',
      size: 12,
      members: [
        { name: '', typeId: pointer, bitOffset: 0, bitfieldSize: 0 },
        { name: 'x', typeId: int, bitOffset: 64, bitfieldSize: 3 },
      ],
    });
    const expected = new BtfAssembler('little');
    const name = expected.string('int');
    expected.type(Kind.INT, name, { sizeOrTypeId: 4, data: [(1 << 24) | 32] });
    expected.type(Kind.PTR, 0, { sizeOrTypeId: 1 });
    expected.type(Kind.STRUCT, name, {
      vlen: 2,
      kindFlag: true,
      sizeOrTypeId: 12,
      data: [0, 2, 0, 'x', 1, (3 << 24) | 64],
    });
    expect(builder.marshal({ byteOrder: 'little' })).toEqual(expected.bytes());
  });

  test.each(ORDERS)('builds every kind again from the decoded types of a %s-endian BTF', (order) => {
    const spec = Spec.parse(assembleAllKinds(order).bytes());
    const builder = new Builder();
    const ids = [...spec].map((type) => builder.add(type));
    expect(ids).toEqual([...spec.typeIds()]);
    const plain = (type: Type): Type => (type.kind === 'INT' ? { ...type, bits: type.bits & 0xff } : type);
    expect([...builder.toSpec()].map(plain)).toEqual([...spec].map(plain));
  });

  needs('bpftool').test.each(ORDERS)(
    'writes every kind so that bpftool prints the same, %s-endian',
    (order) => {
      const source = assembleAllKinds('little').bytes();
      const builder = new Builder({ deduplicate: false });
      builder.addAllFrom(Spec.parse(source), Spec.parse(source).typeIds());
      const bytes = builder.marshal({ byteOrder: order });
      expect(dumpBytes(bytes)).toEqual(dumpBytes(source));
      expect([...Spec.parse(bytes)].map(bpftoolJson)).toEqual(dumpBytes(source));
    },
  );

  test('gives the same type the same id, except without deduplication', () => {
    const builder = new Builder();
    const copies = new Builder({ deduplicate: false });
    expect([builder.add(INT), builder.add({ ...INT }), builder.add({ kind: 'PTR', typeId: 1 })]).toEqual([
      1, 1, 2,
    ]);
    expect([copies.add(INT), copies.add(INT)]).toEqual([1, 2]);
    expect([builder.add({ kind: 'VOID' }), builder.typeCount]).toEqual([0, 2]);
  });

  test('lets types refer to ids that are reserved for later', () => {
    const builder = new Builder();
    const node = builder.reserve();
    const pointer = builder.add({ kind: 'PTR', typeId: node });
    expect(() => builder.marshal()).toThrow('type id 1 was reserved but not defined');
    builder.define(node, {
      kind: 'STRUCT',
      name: 'node',
      size: 8,
      members: [{ name: 'next', typeId: pointer, bitOffset: 0, bitfieldSize: 0 }],
    });
    expect(builder.toSpec().typeById(1)).toMatchObject({ name: 'node', members: [{ typeId: 2 }] });
    expect(() => builder.define(node, INT)).toThrow(BtfBuildError);
    expect(() => builder.define(99, INT)).toThrow(BtfBuildError);
    expect(() => builder.define(builder.reserve(), { kind: 'VOID' })).toThrow(BtfBuildError);
  });

  test('adds a type of a spec after all types that it refers to', () => {
    const builder = new Builder();
    const spec = Spec.parse(assembleAllKinds('big').bytes());
    expect(builder.addFrom(spec, 19)).toBe(4);
    expect([...builder.toSpec()].map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'INT int',
      'PTR ',
      'FUNC_PROTO ',
      'FUNC global',
    ]);
    expect([builder.addFrom(spec, 0), builder.addFrom(spec, 1), builder.typeCount]).toEqual([0, 1, 4]);
  });

  test('adds the DECL_TAGs of a type, except with declTags: false', () => {
    const spec = Spec.parse(assembleAllKinds('little').bytes());
    const [withTags, without] = [new Builder(), new Builder({ declTags: false })];
    for (const builder of [withTags, without]) builder.addFrom(spec, 6);
    const tags = [...withTags.toSpec()].filter(({ kind }) => kind === 'DECL_TAG');
    expect(tags).toMatchObject([
      { name: 'tag', componentIdx: -1, attribute: false },
      { name: 'tag_a', componentIdx: 1, attribute: true },
    ]);
    expect([...without.toSpec()].filter(({ kind }) => kind === 'DECL_TAG')).toEqual([]);
  });

  test('finds equal types of several specs, cycles included', () => {
    const builder = new Builder();
    const first = listSpec('node', 0);
    const second = listSpec('node', 3);
    const [node, alias] = [builder.addFrom(first, 1), builder.addFrom(first, 3)];
    expect(builder.typeCount).toBe(3);
    expect([builder.addFrom(second, 4), builder.addFrom(second, 6)]).toEqual([node, alias]);
    expect(builder.typeCount).toBe(3);
    expect(builder.addFrom(listSpec('other', 0), 1)).toBeGreaterThan(3);
    expect(builder.typeCount).toBe(5);
  });

  test('distinguishes cycles that differ far from where they are entered', () => {
    const long = (last: string): Spec => {
      const btf = new BtfAssembler('little');
      const length = 50;
      for (let i = 1; i <= length; i++) {
        const name = i === length ? last : 'link';
        btf.type(Kind.STRUCT, name, { vlen: 1, sizeOrTypeId: 8, data: ['next', length + i, 0] });
      }
      for (let i = 1; i <= length; i++) btf.type(Kind.PTR, '', { sizeOrTypeId: (i % length) + 1 });
      return Spec.parse(btf.bytes());
    };
    const builder = new Builder();
    for (const [last, count] of [
      ['a', 100],
      ['b', 200],
      ['a', 200],
      ['b', 200],
    ] as const) {
      builder.addFrom(long(last), 1);
      expect(builder.typeCount).toBe(count);
    }
  });

  test('distinguishes a cycle that meets one type twice from one that meets two types that differ far away', () => {
    const length = 6;
    // A root with two chains of pointers; each ends in a struct that leads back to the root.
    const cycle = (ends: readonly string[]): Spec => {
      const btf = new BtfAssembler('little');
      const chains = ends.map((_, i) => 2 + i * (length + 1));
      const [a = 2, b = a] = chains;
      btf.type(Kind.STRUCT, 'root', { vlen: 2, sizeOrTypeId: 16, data: ['a', a, 0, 'b', b, 64] });
      for (const [i, end] of ends.entries()) {
        const first = chains[i] ?? 0;
        for (let link = 1; link <= length; link++) btf.type(Kind.PTR, '', { sizeOrTypeId: first + link });
        btf.type(Kind.STRUCT, end, { vlen: 1, sizeOrTypeId: 8, data: ['root', 1, 0] });
      }
      return Spec.parse(btf.bytes());
    };
    const builder = new Builder();
    const two = builder.addFrom(cycle(['x', 'y']), 1);
    expect(builder.typeCount).toBe(1 + 2 * (length + 1));
    expect(builder.addFrom(cycle(['x']), 1)).not.toBe(two);
    expect(builder.addFrom(cycle(['x', 'y']), 1)).toBe(two);
  });

  test('keeps ids and order of a whole spec without deduplication', () => {
    const spec = listSpec('node', 3);
    const builder = new Builder({ deduplicate: false });
    expect(builder.addAllFrom(spec, spec.typeIds())).toEqual([...spec.typeIds()]);
    expect([...builder.toSpec()]).toEqual([...spec]);
    const shuffled = new Builder({ deduplicate: false });
    expect(shuffled.addAllFrom(spec, [6, 2, 4])).toEqual([1, 2, 3]);
    expect([...shuffled.toSpec()].map(({ name }) => name)).toEqual(['alias', 'f1', 'node', '']);
    expect(shuffled.addAllFrom(spec, [1, 2])).toEqual([5, 2]);
  });

  test.each(ORDERS)(
    'adds whole %s-endian specs one after the other, like their types in two parts',
    (order) => {
      const spec = Spec.parse(assembleAllKinds(order).bytes());
      const whole = new Builder({ deduplicate: false });
      const parts = new Builder({ deduplicate: false });
      for (let copy = 0; copy < 3; copy++) {
        const added = whole.endTypeId - 1;
        const ids = [...spec.typeIds()];
        expect(whole.addAllFrom(Spec.parse(spec.bytes), ids)).toEqual(ids.map((id) => id + added));
        // Types that refer to none have their ids before the others are asked for.
        const another = Spec.parse(spec.bytes);
        expect(parts.addAllFrom(another, [1, 2, 3])).toEqual([1, 2, 3].map((id) => id + added));
        parts.addAllFrom(another, ids);
      }
      expect(Buffer.from(whole.marshal()).equals(parts.marshal())).toBe(true);
      expect(whole.add(INT)).toBe(whole.endTypeId - 1);
      expect(whole.toSpec().typeCount).toBe(3 * spec.typeCount + 1);
    },
  );

  test('adds types of a split spec and of its base', () => {
    const baseBtf = assembleAllKinds('little');
    const base = Spec.parse(baseBtf.bytes());
    const split = new BtfAssembler('little', baseBtf.stringEnd).type(Kind.TYPEDEF, 'own', {
      sizeOrTypeId: 13,
    });
    const spec = Spec.parse(split.bytes(), { base });
    const builder = new Builder();
    expect(builder.addFrom(spec, 30)).toBe(3);
    expect([...builder.toSpec()].map(({ name }) => name)).toEqual(['int', 'size_t', 'own']);
  });

  test('changes nothing if a type cannot be read', () => {
    const btf = new BtfAssembler('little')
      .type(Kind.PTR, '', { sizeOrTypeId: 2 })
      .type(Kind.TYPEDEF, 9999, { sizeOrTypeId: 0 })
      .type(Kind.PTR, '', { sizeOrTypeId: 4 });
    const spec = Spec.parse(btf.bytes());
    const builder = new Builder({ deduplicate: false });
    expect(() => builder.addFrom(spec, 1)).toThrow('string offset 9999 is after the end');
    expect(() => builder.addFrom(spec, 3)).toThrow('reference to type 4');
    expect(() => builder.addFrom(spec, 4)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    expect(() => builder.addAllFrom(spec, spec.typeIds())).toThrow('string offset 9999 is after the end');
    expect(builder.typeCount).toBe(0);
    expect(builder.marshal().length).toBe(25);
  });

  test('rejects types of unknown kinds, whose references are not known', () => {
    const layout = globalThis.Array.from({ length: UNKNOWN_KIND + 1 }, () => [0, 0] as const);
    const btf = new BtfAssembler('little')
      .type(UNKNOWN_KIND, 'new')
      .type(Kind.FLOAT, 'known', { sizeOrTypeId: 4 });
    const spec = Spec.parse(btf.bytes({ headerLength: 32, layout }));
    const builder = new Builder();
    expect(() => builder.addFrom(spec, 1)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    expect(() => builder.add(spec.typeById(1))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    expect(builder.addFrom(spec, 2)).toBe(1);
  });

  test.each<[NewType, string, string]>([
    [{ ...INT, bits: 256 }, 'bits', 'INT "int": bits 256 is not an integer from 0 to 255'],
    [
      { kind: 'PTR', typeId: -1 },
      'typeId',
      'PTR with type id 1: typeId -1 is not an integer from 0 to 4294967295',
    ],
    [{ kind: 'FLOAT', name: 'f', size: 0.5 }, 'size', 'FLOAT "f": size 0.5'],
    [{ kind: 'FLOAT', name: 'a\0b', size: 4 }, 'name', 'contains NUL'],
    [{ kind: 'FLOAT', name: '\ud800', size: 4 }, 'name', 'not valid Unicode'],
    [
      {
        kind: 'UNION',
        name: 'u',
        size: 4,
        members: [
          { name: 'a', typeId: 1, bitOffset: 0, bitfieldSize: 1 },
          { name: 'b', typeId: 1, bitOffset: 1 << 24, bitfieldSize: 0 },
        ],
      },
      'members[1].bitOffset',
      'UNION "u": members[1].bitOffset 16777216 is not an integer from 0 to 16777215',
    ],
    [
      { kind: 'ENUM', name: 'e', size: 4, signed: false, values: [{ name: 'A', value: -1 }] },
      'values[0].value',
      'ENUM "e": values[0].value -1 is not an integer from 0 to 4294967295',
    ],
    [
      { kind: 'ENUM64', name: 'e', size: 8, signed: true, values: [{ name: 'A', value: 1n << 63n }] },
      'values[0].value',
      'does not fit into 64 signed bits',
    ],
    [{ kind: 'DECL_TAG', name: 't', typeId: 1, componentIdx: -2, attribute: false }, 'componentIdx', '-2'],
    [{ kind: 'FUNC', name: 'f', typeId: 1, linkage: 1 << 16 }, 'linkage', '65536'],
  ])('names type and field of %j that does not fit', (type, field, message) => {
    const builder = new Builder();
    expect(() => builder.add(type)).toThrow(
      expect.objectContaining({
        name: 'BtfBuildError',
        code: 'INVALID_TYPE',
        typeId: 1,
        field,
        message: expect.stringContaining(message),
      }),
    );
    expect(builder.typeCount).toBe(0);
  });

  test('reports the type with a reference that does not exist when it is marshalled', () => {
    const builder = new Builder();
    builder.add({ kind: 'CONST', typeId: 7 });
    expect(() => builder.marshal()).toThrow('CONST with type id 1 refers to type 7, but the largest id is 1');
  });

  test('writes more than 65,535 elements only with wideVlen', () => {
    const params = globalThis.Array.from({ length: 65_536 }, () => ({ name: '', typeId: 0 }));
    const builder = new Builder();
    builder.add({ kind: 'FUNC_PROTO', returnTypeId: 0, params });
    expect(() => builder.marshal()).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED', typeId: 1 }));
    expect(Spec.parse(builder.marshal({ wideVlen: true })).typeById(1)).toMatchObject({ params });
  });
});
