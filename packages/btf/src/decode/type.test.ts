import { describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { bpftoolJson, dumpBytes } from '../testing/bpftool.js';
import { Kind } from '../types.js';

function valuesOf(spec: Spec, name: string): (number | bigint)[] {
  return spec
    .typesByName(name)
    .flatMap((type) => ('values' in type ? type.values : []).map(({ value }) => value));
}

describe.each(['little', 'big'] as const)('a %s-endian BTF of all kinds', (order) => {
  const bytes = assembleAllKinds(order).bytes();
  const spec = Spec.parse(bytes);

  needs('bpftool').test('decodes to the output of bpftool', () => {
    expect([...spec].map(bpftoolJson)).toEqual(dumpBytes(bytes));
  });

  test('has every kind that bpftool knows', () => {
    const kinds = new Set([...spec].map(({ id }) => spec.kindOf(id)));
    const known = Object.values(Kind).filter((kind) => kind > 0 && kind <= Kind.ENUM64);
    expect([...kinds].toSorted((a, b) => a - b)).toEqual(known);
    const names = new Map(Object.entries(Kind).map(([name, number]) => [number as number, name]));
    for (const { id, kind } of spec) expect(kind).toBe(names.get(spec.kindOf(id)));
  });

  test('decodes fields that bpftool does not print: linkage numbers, tags that are attributes, encoding bits', () => {
    const numbers = (name: string) => spec.typesByName(name).map((type) => 'linkage' in type && type.linkage);
    expect(['local', 'global', 'outer', 'counter'].flatMap(numbers)).toEqual([0, 1, 2, 1]);
    const attributes = (name: string) =>
      spec.typesByName(name).map((type) => 'attribute' in type && type.attribute);
    expect(['tag', 'tag_a', 'user', 'percpu'].flatMap(attributes)).toEqual([false, true, false, true]);
    expect(spec.typesByName('odd')).toEqual([
      { kind: 'INT', id: 3, name: 'odd', size: 8, encoding: 0xc, bits: 5, bitOffset: 3 },
    ]);
  });

  test('reads enum values with the sign of the kind flag', () => {
    expect(valuesOf(spec, 'unsigned')).toEqual([0, 0xffffffff]);
    expect(valuesOf(spec, 'signed')).toEqual([-2]);
    expect(valuesOf(spec, 'wide')).toEqual([0xfffffffffffffffen, 0x200000001n]);
    expect(valuesOf(spec, 'wide_signed')).toEqual([-(2n ** 63n), -1n]);
  });
});

test('a vlen of 24 bits (Linux 7.2) counts all elements', () => {
  const vlen = 0x10001;
  const data = globalThis.Array.from({ length: vlen * 2 }, (_, i) => (i % 2 === 0 ? 0 : i));
  const btf = new BtfAssembler('little').type(Kind.ENUM, 'big', { vlen, sizeOrTypeId: 4, data });
  const [type] = Spec.parse(btf.bytes());
  expect(type).toMatchObject({ kind: 'ENUM', name: 'big' });
  expect(type?.kind === 'ENUM' && type.values.length).toBe(vlen);
  expect(type?.kind === 'ENUM' && type.values.at(-1)).toEqual({ name: '', value: vlen * 2 - 1 });
});
