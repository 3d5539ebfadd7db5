import { describe, expect, test } from '@jest/globals';
import { Builder } from '../build/builder.js';
import type { NewType } from '../build/field-checks.js';
import { parseHeader } from '../header.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind, type Type } from '../types.js';
import { validate } from '../validate/validate.js';
import { adaptBtf } from './adapt-btf.js';
import { FEATURE_ROWS, KERNEL_FEATURES, type KernelFeatures, kernelFeaturesOf } from './kernel-features.js';
import { probeBtf } from './probe.js';

const INT: NewType = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 };

function btfOf(...types: readonly NewType[]): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  for (const type of types) builder.add(type);
  return builder.marshal();
}

function adapted(bytes: Uint8Array, features: Partial<KernelFeatures>): Type[] {
  return [...Spec.parse(adaptBtf(bytes, features))];
}

/** BTF that only the newest kernels accept. */
function newestBtf(): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const add = (type: NewType): number => builder.add(type);
  const int = add(INT);
  const params = [
    { name: 'a', typeId: int },
    { name: 'b.0', typeId: int },
    { name: '', typeId: 0 },
  ];
  const proto = add({ kind: 'FUNC_PROTO', returnTypeId: int, params });
  const named = add({ kind: 'FUNC_PROTO', returnTypeId: int, params: params.slice(0, 2) });
  const func = add({ kind: 'FUNC', name: 'f.isra.0', typeId: named, linkage: 1 });
  add({ kind: 'PTR', typeId: proto });
  const float = add({ kind: 'FLOAT', name: 'double', size: 8 });
  const wide = add({
    kind: 'ENUM64',
    name: 'e',
    size: 8,
    signed: true,
    values: [{ name: 'A', value: -1n << 40n }],
  });
  add({ kind: 'ENUM', name: 's', size: 4, signed: true, values: [{ name: 'B', value: -1 }] });
  const attribute = add({ kind: 'TYPE_TAG', name: 'noderef', typeId: int, attribute: true });
  const tag = add({ kind: 'TYPE_TAG', name: 'user', typeId: attribute, attribute: false });
  const pointer = add({ kind: 'PTR', typeId: tag });
  const late = add({ kind: 'CONST', typeId: tag });
  add({ kind: 'TYPE_TAG', name: 'rcu', typeId: late, attribute: true });
  const members = [
    { name: 'x'.repeat(200), typeId: float, bitOffset: 0, bitfieldSize: 0 },
    { name: 'm.n', typeId: wide, bitOffset: 64, bitfieldSize: 0 },
    { name: 'p', typeId: pointer, bitOffset: 128, bitfieldSize: 0 },
    { name: 'l', typeId: late, bitOffset: 192, bitfieldSize: 0 },
  ];
  const struct = add({ kind: 'STRUCT', name: 's.t', size: 32, members });
  add({ kind: 'DECL_TAG', name: 'tag', typeId: struct, componentIdx: 1, attribute: false });
  add({ kind: 'DECL_TAG', name: 'cold', typeId: func, componentIdx: -1, attribute: true });
  const counter = add({ kind: 'VAR', name: 'counter.0', typeId: int, linkage: 1 });
  add({
    kind: 'DATASEC',
    name: '?struct_ops/a b',
    size: 64,
    vars: [{ typeId: counter, offset: 60, size: 4 }],
  });
  add({ kind: 'DATASEC', name: '.rodata', size: 16, vars: [] });
  return builder.marshal({ layout: true });
}

const RELEASES = [
  [4, 18],
  [5, 0],
  [5, 4],
  [5, 10],
  [5, 15],
  [5, 17],
  [6, 1],
  [6, 6],
  [6, 12],
  [6, 18],
  [7, 1],
  [7, 2],
] as const;

describe('adaptBtf', () => {
  test.each(RELEASES)('makes BTF that Linux %d.%d accepts, with the same ids', (major, minor) => {
    const kernelFeatures = kernelFeaturesOf(major, minor);
    const isNewest = major === 7 && minor === 2;
    const original = newestBtf();
    expect(validate(Spec.parse(original), { kernelFeatures }).length > 0).toBe(!isNewest);
    const bytes = adaptBtf(original, kernelFeatures);
    expect(bytes === original).toBe(isNewest);
    const spec = Spec.parse(bytes);
    expect(validate(spec, { kernelFeatures })).toEqual([]);
    expect(spec.typeCount).toBeGreaterThanOrEqual(Spec.parse(original).typeCount);
    expect(spec.typeById(1)).toMatchObject({ kind: 'INT', name: 'int' });
  });

  test.each([...FEATURE_ROWS].filter(([, { probe, rewriting }]) => probe !== null && rewriting !== null))(
    'makes BTF with %s acceptable to a kernel without it alone',
    (name, { probe }) => {
      if (probe === null) throw new Error('no probe');
      const kernelFeatures = { ...KERNEL_FEATURES, [name]: false };
      const bytes = probeBtf(probe);
      expect(validate(Spec.parse(bytes), { kernelFeatures })).not.toEqual([]);
      expect(validate(Spec.parse(adaptBtf(bytes, kernelFeatures)), { kernelFeatures })).toEqual([]);
    },
  );

  test('returns the same bytes if a kernel lacks nothing that they have', () => {
    const bytes = btfOf(
      INT,
      { kind: 'CONST', typeId: 1 },
      { kind: 'TYPE_TAG', name: 'user', typeId: 2, attribute: false },
    );
    expect(adaptBtf(bytes, kernelFeaturesOf(6, 18))).toBe(bytes);
    expect(adaptBtf(bytes, {})).toBe(bytes);
  });

  test('does not take split BTF', () => {
    const split = new BtfAssembler('little', 1)
      .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
      .bytes();
    expect(() => adaptBtf(split, {})).toThrow(expect.objectContaining({ code: 'MISSING_BASE' }));
  });

  test('leaves out the layout section alone, in both byte orders', () => {
    const layout = Array.from({ length: 20 }, () => [0, 0] as const);
    for (const order of ['little', 'big'] as const) {
      const btf = new BtfAssembler(order).type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] });
      const bytes = adaptBtf(btf.bytes({ headerLength: 32, layout }), { layout: false });
      expect(bytes).toEqual(btf.bytes());
      expect(parseHeader(bytes).length).toBe(24);
    }
  });

  test('keeps a layout section that the kernel accepts', () => {
    const bytes = adaptBtf(newestBtf(), { ...KERNEL_FEATURES, float: false });
    expect(parseHeader(bytes).layout.length).toBe(80);
  });

  test('replaces a FLOAT with an anonymous STRUCT of the same size', () => {
    expect(adapted(btfOf({ kind: 'FLOAT', name: 'double', size: 8 }), { float: false })).toEqual([
      { id: 1, kind: 'STRUCT', name: '', size: 8, members: [] },
    ]);
  });

  test('replaces an ENUM64 that is a bitfield with an INT, also after a typedef', () => {
    const member = (name: string, typeId: number, bitOffset: number, bitfieldSize: number) =>
      ({ name, typeId, bitOffset, bitfieldSize }) as const;
    const values = [{ name: 'A', value: -1n }];
    const types = btfOf(
      { kind: 'ENUM64', name: 'e', size: 8, signed: true, values },
      { kind: 'TYPEDEF', name: 't', typeId: 1 },
      {
        kind: 'STRUCT',
        name: 's',
        size: 24,
        members: [member('a', 1, 0, 32), member('b', 2, 64, 20), member('c', 2, 128, 0)],
      },
    );
    expect(validate(Spec.parse(types))).toEqual([]);
    const spec = Spec.parse(adaptBtf(types, { enum64: false }));
    expect(spec.typeById(4)).toMatchObject({ kind: 'INT', size: 8, encoding: 1 });
    expect(spec.typeById(3)).toMatchObject({ members: [{ typeId: 4 }, { typeId: 4 }, { typeId: 2 }] });
    expect(validate(spec, { kernelFeatures: kernelFeaturesOf(5, 10) })).toEqual([]);
  });

  test('replaces tags that are attributes, and only these', () => {
    const types = btfOf(
      INT,
      { kind: 'TYPEDEF', name: 't', typeId: 1 },
      { kind: 'DECL_TAG', name: 'a', typeId: 2, componentIdx: -1, attribute: true },
      { kind: 'DECL_TAG', name: 'a', typeId: 2, componentIdx: -1, attribute: false },
      { kind: 'TYPE_TAG', name: 'a', typeId: 6, attribute: true },
      { kind: 'TYPE_TAG', name: 'b', typeId: 1, attribute: false },
    );
    expect(adapted(types, { tagAttributes: false }).slice(2)).toMatchObject([
      { kind: 'INT', name: 'decl_tag_placeholder', size: 1 },
      { kind: 'DECL_TAG', name: 'a' },
      // The tag after it would no longer come first.
      { kind: 'CONST', typeId: 1 },
      { kind: 'TYPE_TAG', name: 'b' },
    ]);
  });

  test('lets modifiers skip type tags, and pointers keep them', () => {
    const types = btfOf(
      INT,
      { kind: 'TYPE_TAG', name: 'a', typeId: 3, attribute: false },
      { kind: 'TYPE_TAG', name: 'b', typeId: 1, attribute: false },
      { kind: 'CONST', typeId: 2 },
      { kind: 'PTR', typeId: 2 },
      { kind: 'TYPEDEF', name: 't', typeId: 3 },
    );
    expect(adapted(types, { lateTypeTags: false }).slice(3)).toMatchObject([
      { kind: 'CONST', typeId: 1 },
      { kind: 'PTR', typeId: 2 },
      { kind: 'TYPEDEF', typeId: 1 },
    ]);
  });

  test('ends with type tags that refer to each other', () => {
    const types = btfOf(
      { kind: 'TYPE_TAG', name: 'a', typeId: 2, attribute: false },
      { kind: 'TYPE_TAG', name: 'b', typeId: 1, attribute: false },
      { kind: 'CONST', typeId: 1 },
      { kind: 'CONST', typeId: 2 },
    );
    expect(adapted(types, { lateTypeTags: false })).toHaveLength(4);
  });

  test('replaces only the characters of names that a kernel refuses', () => {
    const types = btfOf(
      INT,
      { kind: 'VAR', name: 'a.b', typeId: 1, linkage: 0 },
      { kind: 'DATASEC', name: '?.a-b/c', size: 4, vars: [{ typeId: 2, offset: 0, size: 4 }] },
      { kind: 'FWD', name: 'c.d', union: false },
    );
    const names = (features: Partial<KernelFeatures>): string[] =>
      adapted(types, features).map(({ name }) => name);
    expect(names({ printableSectionNames: false })).toEqual(['int', 'a.b', '_.a_b_c', 'c.d']);
    expect(names({ dotNames: false })).toEqual(['int', 'a.b', '?.a-b/c', 'c_d']);
  });

  test('cuts names after 128 bytes', () => {
    const types = btfOf(
      { kind: 'FWD', name: 'a'.repeat(129), union: false },
      { ...INT, name: 'b'.repeat(129) },
    );
    // The kernel does not look at the names of INTs.
    expect(adapted(types, { longNames: false }).map(({ name }) => name.length)).toEqual([128, 129]);
  });

  test('replaces a DATASEC without variables, and others for kernels without any', () => {
    const types = btfOf(
      INT,
      { kind: 'VAR', name: 'a.b', typeId: 1, linkage: 0 },
      { kind: 'DATASEC', name: '.data.x', size: 8, vars: [{ typeId: 2, offset: 4, size: 4 }] },
      { kind: 'DATASEC', name: '.bss', size: 8, vars: [] },
    );
    expect(adapted(types, { emptySections: false }).slice(1)).toMatchObject([
      { kind: 'VAR' },
      { kind: 'DATASEC', name: '.data.x' },
      { kind: 'STRUCT', name: '_bss', size: 8, members: [] },
    ]);
    expect(adapted(types, { datasec: false }).slice(1)).toMatchObject([
      { kind: 'INT', name: 'a.b', size: 1 },
      { kind: 'STRUCT', name: '_data_x', size: 8, members: [{ name: 'a_b', typeId: 2, bitOffset: 32 }] },
      { kind: 'STRUCT', name: '_bss', size: 8, members: [] },
    ]);
  });

  test('replaces functions for kernels without them', () => {
    const params = [
      { name: 'a', typeId: 1 },
      { name: '', typeId: 0 },
    ];
    const types = btfOf(
      INT,
      { kind: 'FUNC_PROTO', returnTypeId: 0, params },
      { kind: 'FUNC', name: 'f', typeId: 2, linkage: 1 },
    );
    expect(adapted(types, { func: false }).slice(1)).toMatchObject([
      {
        kind: 'ENUM',
        name: '',
        size: 4,
        values: [
          { name: 'a', value: 0 },
          { name: 'arg1', value: 1 },
        ],
      },
      { kind: 'TYPEDEF', name: 'f', typeId: 2 },
    ]);
  });

  test('reports a type of an unknown kind only if it rewrites something', () => {
    const layout = Array.from({ length: 123 }, () => [0, 0] as const);
    const bytes = new BtfAssembler('little').type(122, 0).bytes({ headerLength: 32, layout });
    expect(adaptBtf(bytes, kernelFeaturesOf(7, 1))).toBe(bytes);
    expect(() => adaptBtf(bytes, { layout: false })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    );
  });
});
