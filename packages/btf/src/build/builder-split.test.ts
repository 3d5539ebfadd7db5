import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { parseHeader } from '../header.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { Libbpf } from '../testing/libbpf.js';
import { Kind } from '../types.js';
import { Builder } from './builder.js';
import { dedup } from './dedup/dedup.js';
import type { NewType } from './field-checks.js';

const INT: NewType = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 };

/** A base with the types 1 to 3. */
function baseSpec(order: 'little' | 'big' = 'little'): Spec {
  return Spec.parse(
    new BtfAssembler(order)
      .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [(1 << 24) | 32] })
      .type(Kind.PTR, 0, { sizeOrTypeId: 3 })
      .type(Kind.STRUCT, 'task', { vlen: 1, sizeOrTypeId: 8, data: ['parent', 2, 0] })
      .bytes(),
  );
}

/** The text of a string section. */
function stringsOf(bytes: Uint8Array): string {
  const { offset, length } = parseHeader(bytes).strings;
  return new TextDecoder().decode(bytes.subarray(offset, offset + length));
}

/** A list `node`, its pointer, and typedefs, as `Libbpf.build` adds them to a base whose type 1 is an INT. */
function addList(builder: Builder): void {
  const node = builder.reserve();
  const next = builder.endTypeId;
  builder.define(node, {
    kind: 'STRUCT',
    name: 'node',
    size: 16,
    members: [
      { name: 'next', typeId: next, bitOffset: 0, bitfieldSize: 0 },
      { name: 'count', typeId: 1, bitOffset: 64, bitfieldSize: 0 },
    ],
  });
  builder.add({ kind: 'PTR', typeId: node });
  builder.add({ kind: 'TYPEDEF', name: 'node_t', typeId: node });
  builder.add({ kind: 'TYPEDEF', name: 'int', typeId: 1 });
}

describe('Builder with a base', () => {
  test('continues the ids of the base, and shares its strings', () => {
    const base = baseSpec();
    const builder = new Builder({ base });
    expect([builder.firstTypeId, builder.endTypeId, builder.typeCount]).toEqual([4, 4, 0]);
    addList(builder);
    expect([builder.endTypeId, builder.typeCount]).toEqual([8, 4]);
    const bytes = builder.marshal();
    // Without the empty string, and without `int`, which the base has.
    expect(stringsOf(bytes)).toBe('node\0next\0count\0node_t\0');
    expect([...Spec.parse(bytes, { base })]).toMatchObject([
      {
        id: 4,
        name: 'node',
        members: [
          { name: 'next', typeId: 5 },
          { name: 'count', typeId: 1 },
        ],
      },
      { id: 5, typeId: 4 },
      { id: 6, name: 'node_t', typeId: 4 },
      { id: 7, name: 'int', typeId: 1 },
    ]);
    expect([...builder.toSpec()]).toEqual([...Spec.parse(bytes, { base })]);
    expect(builder.toSpec().base).toBe(base);
  });

  test('shares the strings of all bases below', () => {
    const lower = baseSpec();
    const first = new Builder({ base: lower });
    first.add({ kind: 'FLOAT', name: 'double', size: 8 });
    const middle = first.toSpec();
    const builder = new Builder({ base: middle });
    for (const name of ['double', 'task', 'new']) builder.add({ kind: 'TYPEDEF', name, typeId: 4 });
    expect(stringsOf(builder.marshal())).toBe('new\0');
    expect([...builder.toSpec()].map(({ id, name }) => [id, name])).toEqual([
      [5, 'double'],
      [6, 'task'],
      [7, 'new'],
    ]);
  });

  test('adds the own types of a spec with the same base, and nothing of the base', () => {
    const base = baseSpec();
    const module = new Builder({ base });
    addList(module);
    const spec = module.toSpec();
    for (const deduplicate of [true, false]) {
      const builder = new Builder({ base, deduplicate });
      expect(builder.addAllFrom(spec, [0, 1, 3, 6, 7])).toEqual([
        0,
        1,
        3,
        expect.any(Number),
        expect.any(Number),
      ]);
      expect([...builder.toSpec()].map(({ name }) => name).toSorted()).toEqual(['', 'int', 'node', 'node_t']);
      expect([builder.addFrom(base, 2), builder.addFrom(spec, 2), builder.typeCount]).toEqual([2, 2, 4]);
    }
  });

  test('adds the types of the base that a spec with another base has', () => {
    const builder = new Builder({ base: baseSpec() });
    expect(builder.addFrom(baseSpec(), 1)).toBe(4);
    expect(builder.add(INT)).toBe(4);
    // As with libbpf, dedup drops what the base has.
    const { bytes, ids } = dedup(builder.toSpec());
    expect([Spec.parse(bytes, { base: builder.base }).typeCount, ids[4]]).toEqual([0, 1]);
  });

  test('adds types of a spec that is split from a base of its base', () => {
    const lower = baseSpec();
    const middle = new Builder({ base: lower });
    middle.add({ kind: 'FLOAT', name: 'double', size: 8 });
    const sibling = new Builder({ base: lower });
    sibling.add({ kind: 'CONST', typeId: 1 });
    const builder = new Builder({ base: middle.toSpec() });
    expect(builder.addFrom(sibling.toSpec(), 4)).toBe(5);
    expect(builder.toSpec().typeById(5)).toMatchObject({ kind: 'CONST', typeId: 1 });
  });

  test('writes the byte order of the base, and rejects another one', () => {
    const base = baseSpec('big');
    const builder = new Builder({ base });
    addList(builder);
    expect(builder.toSpec().byteOrder).toBe('big');
    expect(builder.marshal({ byteOrder: 'big' })).toEqual(builder.marshal());
    expect(() => builder.marshal({ byteOrder: 'little' })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: 'byteOrder "little" is not that of the base, which is big-endian',
      }),
    );
  });

  test('sorts and replaces its own types alone', () => {
    const base = Spec.parse(assembleAllKinds('little').bytes());
    const source = [...base];
    const builder = new Builder({ base, deduplicate: false });
    for (const type of source) builder.add(type);
    const options = { sort: true, replaceEnum64: true, replaceTypeTags: true, replaceFloats: true } as const;
    const spec = Spec.parse(builder.marshal(options), { base });
    const kinds = [...spec].map(({ kind }) => kind);
    expect(spec.typeCount).toBeGreaterThan(base.typeCount);
    for (const kind of ['ENUM64', 'TYPE_TAG', 'FLOAT']) expect(kinds).not.toContain(kind);
    expect([...spec].map(({ name }) => name)).toEqual([...spec].map(({ name }) => name).toSorted());
    expect([...base]).toEqual(source);
    const empty = new Builder({ base });
    expect(Spec.parse(empty.marshal({ preventNoTypeFound: true }), { base }).typeCount).toBe(1);
    expect(Spec.parse(empty.marshal(), { base }).typeCount).toBe(0);
  });

  test('rejects ids of the base where it needs its own, and ids that do not exist', () => {
    const builder = new Builder({ base: baseSpec() });
    expect(() => builder.define(3, INT)).toThrow('type id 3 is not reserved');
    builder.add({ kind: 'CONST', typeId: 5 });
    expect(() => builder.marshal()).toThrow('CONST with type id 4 refers to type 5, but the largest id is 4');
    expect(() => builder.add({ kind: 'FLOAT', name: 'f', size: -1 })).toThrow(
      expect.objectContaining({ typeId: 5 }),
    );
  });
});

needs('gcc', 'libbpf 1.7', 'debian-kernels').describe('Builder with vmlinux as base', () => {
  let libbpf: Libbpf;
  let base: Spec;
  let module: Spec;

  beforeAll(() => {
    const [kernel] = kernels('kernels');
    if (kernel === undefined) throw new Error('no BTF of a kernel');
    libbpf = new Libbpf();
    base = readSpec(kernel.vmlinux);
    module = readSpec(kernel.path('bonding'), base);
  });
  afterAll(() => libbpf.close());

  test('writes the bytes of btf__new_empty_split for the types of a module', () => {
    const builder = new Builder({ base, deduplicate: false });
    builder.addAllFrom(module, module.typeIds());
    expect(Buffer.compare(builder.marshal(), libbpf.copy(module.bytes, base.bytes))).toBe(0);
  });

  test('writes its bytes for types that are added by value', () => {
    const builder = new Builder({ base });
    addList(builder);
    expect(builder.marshal()).toEqual(libbpf.build(base.bytes));
  });
});
