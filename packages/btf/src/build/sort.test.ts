import { describe, expect, test } from '@jest/globals';
import { parseHeader } from '../header.js';
import { children } from '../query/references.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind, type Type } from '../types.js';
import { Builder } from './builder.js';
import { sortTypes } from './sort.js';

const INT = { sizeOrTypeId: 4, data: [32] };

function namesOf(bytes: Uint8Array): string[] {
  return [...Spec.parse(bytes)].map(({ kind, name }) => `${kind} ${name}`);
}

/** Types in the wrong order, some with the same name, some without any. */
function unsorted(order: 'little' | 'big' = 'little'): BtfAssembler {
  return new BtfAssembler(order)
    .type(Kind.INT, 'int', INT) // 1
    .type(Kind.STRUCT, 'b', { vlen: 1, sizeOrTypeId: 8, data: ['next', 3, 0] }) // 2
    .type(Kind.PTR, 0, { sizeOrTypeId: 2 }) // 3
    .type(Kind.TYPEDEF, 'b', { sizeOrTypeId: 2 }) // 4
    .type(Kind.STRUCT, 'B', { sizeOrTypeId: 0 }) // 5
    .type(Kind.CONST, 0, { sizeOrTypeId: 4 }) // 6
    .type(Kind.TYPEDEF, 'ab', { sizeOrTypeId: 6 }) // 7
    .type(Kind.TYPEDEF, 'é', { sizeOrTypeId: 1 }); // 8
}

describe('sortTypes', () => {
  test('puts anonymous types first, then sorts by bytes, and keeps the order of equal names', () => {
    const { bytes, ids } = sortTypes(Spec.parse(unsorted().bytes()));
    expect(namesOf(bytes)).toEqual([
      'PTR ',
      'CONST ',
      'STRUCT B',
      'TYPEDEF ab',
      'STRUCT b',
      'TYPEDEF b',
      'INT int',
      'TYPEDEF é',
    ]);
    expect([...ids]).toEqual([0, 7, 5, 1, 6, 3, 2, 4, 8]);
  });

  test('changes all references, so that each type is still the same', () => {
    const spec = Spec.parse(assembleAllKinds('big').bytes());
    const { bytes, ids } = sortTypes(spec);
    const sorted = Spec.parse(bytes);
    expect(sorted.byteOrder).toBe('big');
    expect(ids.subarray(1).toSorted()).toEqual(Int32Array.from({ length: 29 }, (_, i) => i + 1));
    const typedef = sorted.typesByName('size_t')[0];
    expect(typedef).toMatchObject({ kind: 'TYPEDEF', typeId: ids[1] });
    expect(sorted.typesByName('fields')[0]).toMatchObject({
      members: spec
        .typesByName('fields')
        .flatMap((type) =>
          type.kind === 'STRUCT' ? type.members.map((m) => ({ ...m, typeId: ids[m.typeId] })) : [],
        ),
    });
    // Sorting again changes nothing.
    expect(sortTypes(sorted).bytes).toEqual(bytes);
  });

  test('moves only the own types of split BTF', () => {
    const base = unsorted();
    const split = new BtfAssembler('little', base.stringEnd)
      .type(Kind.TYPEDEF, 'c', { sizeOrTypeId: 11 }) // 9
      .type(Kind.TYPEDEF, 'a', { sizeOrTypeId: 2 }) // 10
      .type(Kind.CONST, 0, { sizeOrTypeId: 9 }); // 11
    const spec = Spec.parse(split.bytes(), { base: Spec.parse(base.bytes()) });
    const { bytes, ids } = sortTypes(spec);
    const sorted = Spec.parse(bytes, { base: spec.base });
    expect([...sorted].map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'CONST ',
      'TYPEDEF a',
      'TYPEDEF c',
    ]);
    expect([...sorted].map(children)).toEqual([[11], [2], [9]]);
    expect([...ids]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 10, 9]);
  });

  test('keeps strings and a layout section', () => {
    const layout = Array.from({ length: 20 }, () => [0, 0] as const);
    const btf = unsorted().bytes({ headerLength: 32, layout });
    const { bytes } = sortTypes(Spec.parse(btf));
    expect(parseHeader(bytes)).toEqual(parseHeader(btf));
    expect(bytes.subarray(parseHeader(btf).layout.offset)).toEqual(
      btf.subarray(parseHeader(btf).layout.offset),
    );
  });
});

describe('Builder.marshal', () => {
  test('sorts the types with the option sort, and does not change the builder', () => {
    const spec = Spec.parse(unsorted().bytes());
    const builder = new Builder({ deduplicate: false });
    builder.addAllFrom(spec, spec.typeIds());
    const sorted = (bytes: Uint8Array): Type[] => [...Spec.parse(bytes)];
    expect(sorted(builder.marshal({ sort: true }))).toEqual(sorted(sortTypes(spec).bytes));
    expect(namesOf(builder.marshal())[0]).toBe('INT int');
  });

  test('names a type that is not defined by its id in the builder, also if it sorts', () => {
    const builder = new Builder();
    builder.add({ kind: 'FLOAT', name: 'z', size: 4 });
    builder.reserve();
    expect(() => builder.marshal({ sort: true })).toThrow('type id 2 was reserved but not defined');
  });
});
