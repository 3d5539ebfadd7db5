import { describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { isSplit } from './header.js';
import { Spec } from './spec.js';
import { assembleAllKinds } from './testing/all-kinds.js';
import { BtfAssembler } from './testing/assemble-btf.js';
import { bpftoolJson, dumpBytes } from './testing/bpftool.js';
import { countTypes } from './type-index.js';
import { Kind } from './types.js';

/** A module whose types 30 to 33 use types and names of the base's 29. */
function assembleModule(order: 'little' | 'big', base: BtfAssembler, nameInBase: number): BtfAssembler {
  return new BtfAssembler(order, base.stringEnd)
    .type(Kind.STRUCT, 'module_state', { vlen: 2, sizeOrTypeId: 8, data: ['count', 1, 0, 'next', 31, 32] })
    .type(Kind.PTR, '', { sizeOrTypeId: 30 })
    .type(Kind.FLOAT, nameInBase, { sizeOrTypeId: 4 })
    .type(Kind.TYPEDEF, 'plain', { sizeOrTypeId: 6 });
}

describe.each(['little', 'big'] as const)('%s-endian split BTF', (order) => {
  const baseBtf = assembleAllKinds(order);
  const nameInBase = baseBtf.string('shared_name') + 7;
  const moduleBtf = assembleModule(order, baseBtf, nameInBase);
  const base = Spec.parse(baseBtf.bytes());
  const spec = Spec.parse(moduleBtf.bytes(), { base });

  needs('bpftool').test('decodes to the output of bpftool with its base', () => {
    expect([...spec].map(bpftoolJson)).toEqual(dumpBytes(moduleBtf.bytes(), baseBtf.bytes()));
  });

  test('continues the ids of its base', () => {
    expect(spec).toMatchObject({ firstTypeId: 30, typeCount: 4, endTypeId: 34 });
    expect(spec.base).toBe(base);
    expect([...spec].map(({ id }) => id)).toEqual([30, 31, 32, 33]);
    expect([...spec.typeIds()]).toEqual([30, 31, 32, 33]);
    expect([...spec.typeIds(1)]).toEqual(globalThis.Array.from({ length: 33 }, (_, i) => i + 1));
    expect(spec.typeById(6)).toEqual(base.typeById(6));
    expect([spec.kindOf(6), spec.nameOf(6)]).toEqual([Kind.STRUCT, 'plain']);
    expect(spec.nameOf(32)).toBe('name');
    expect(() => base.typeById(30)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  test('finds names in itself and in its base, those of the base first', () => {
    expect(spec.idsByName('plain')).toEqual([6, 33]);
    expect(spec.typesByName('plain').map(({ kind }) => kind)).toEqual(['STRUCT', 'TYPEDEF']);
    expect(spec.idsByName('name')).toEqual([32]);
    expect(spec.idsByName('')).toEqual([...base.idsByName(''), 31]);
    expect(base.idsByName('plain')).toEqual([6]);
  });

  test('can itself be a base, to three levels', () => {
    const topBtf = new BtfAssembler(order, moduleBtf.stringEnd)
      .type(Kind.CONST, '', { sizeOrTypeId: 30 })
      .type(Kind.TYPEDEF, 'plain', { sizeOrTypeId: 34 })
      .type(Kind.FLOAT, baseBtf.stringEnd, {});
    const top = Spec.parse(topBtf.bytes(), { base: spec });
    expect(top.idsByName('plain')).toEqual([6, 33, 35]);
    expect(top.nameOf(36)).toBe('module_state');
    expect([1, 31, 34].map((id) => top.typeById(id).kind)).toEqual(['INT', 'PTR', 'CONST']);
    const limits = { baseDepth: 1 };
    expect(() => Spec.parse(topBtf.bytes(), { base: spec, limits })).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
    expect(Spec.parse(moduleBtf.bytes(), { base, limits }).typeCount).toBe(4);
  });

  test('is rejected without its base, but its own types can be counted', () => {
    expect(() => Spec.parse(moduleBtf.bytes())).toThrow(
      expect.objectContaining({
        name: 'BtfFormatError',
        code: 'MISSING_BASE',
        message: expect.stringContaining('missing base types'),
      }),
    );
    expect([isSplit(moduleBtf.bytes()), isSplit(baseBtf.bytes())]).toEqual([true, false]);
    expect(countTypes(moduleBtf.bytes())).toBe(4);
  });

  test('may have types but no strings', () => {
    const anonymous = new BtfAssembler(order, baseBtf.stringEnd)
      .type(Kind.PTR, '', { sizeOrTypeId: 6 })
      .bytes();
    expect(isSplit(anonymous)).toBe(true);
    expect(() => Spec.parse(anonymous)).toThrow(expect.objectContaining({ code: 'MISSING_BASE' }));
    expect(Spec.parse(anonymous, { base }).typeById(30)).toMatchObject({ kind: 'PTR', typeId: 6 });
  });

  test('may repeat the empty string at the start of its strings, as cilium/ebpf does', () => {
    const repeated = new BtfAssembler(order, baseBtf.stringEnd);
    repeated.rawString([]);
    const bytes = repeated.type(Kind.FLOAT, 'own').bytes();
    expect(isSplit(bytes)).toBe(false);
    expect(Spec.parse(bytes, { base }).nameOf(30)).toBe('own');
  });

  test('must have the byte order of its base', () => {
    const other = assembleAllKinds(order === 'little' ? 'big' : 'little').bytes();
    expect(() => Spec.parse(other, { base })).toThrow(expect.objectContaining({ code: 'BASE_MISMATCH' }));
  });
});
