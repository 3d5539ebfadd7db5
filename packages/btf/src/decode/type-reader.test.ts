import { describe, expect, test } from '@jest/globals';
import { BtfReadError } from '../format-error.js';
import { children } from '../query/references.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind } from '../types.js';
import { TypeReader } from './type-reader.js';

function nameOf(types: TypeReader, word = 0): string {
  const bytes = new Uint8Array(types.findName(word) + 1);
  types.copyName(bytes, 1);
  return new TextDecoder().decode(bytes.subarray(1));
}

function idsOf(types: TypeReader): number[] {
  const ids: number[] = [];
  types.visitIds((id) => ids.push(id));
  return ids;
}

function codeOf(call: () => void): string | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof BtfReadError) return error.code;
    throw error;
  }
  return undefined;
}

describe.each(['little', 'big'] as const)('A %s-endian type', (order) => {
  const base = assembleAllKinds(order);
  const split = new BtfAssembler(order, base.stringEnd)
    .type(Kind.STRUCT, 'größe', { vlen: 2, sizeOrTypeId: 8, data: ['count', 1, 0, '', 30, 32] })
    .type(Kind.ENUM, '', { vlen: 1, kindFlag: true, sizeOrTypeId: 4, data: ['LEAST', -2] });
  const spec = Spec.parse(split.bytes(), { base: Spec.parse(base.bytes()) });

  test('has the kind, the name and the ids of the decoded type, also in the base', () => {
    const types = new TypeReader(spec);
    const ids = [...spec.typeIds(1)];
    // From the spec to its base and back.
    for (const id of [...ids, ...ids.toReversed()]) {
      types.open(id);
      const type = spec.typeById(id);
      expect([types.kind, nameOf(types), idsOf(types)]).toEqual([spec.kindOf(id), type.name, children(type)]);
    }
  });

  test('has elements', () => {
    const types = new TypeReader(spec);
    types.open(spec.firstTypeId);
    expect([types.vlen, types.kindFlag, types.u32(2), types.data().length]).toEqual([2, false, 8, 24]);
    expect([nameOf(types, 3), types.u32(4), nameOf(types, 6), types.u32(8)]).toEqual(['count', 1, '', 32]);
    types.open(spec.firstTypeId + 1);
    expect([types.kindFlag, nameOf(types, 3), types.i32(4), types.u32(4)]).toEqual([
      true,
      'LEAST',
      -2,
      0xffff_fffe,
    ]);
  });

  test.each([0, -1, 1.5, spec.endTypeId])('with the id %s does not exist', (id) => {
    expect(codeOf(() => new TypeReader(spec).open(id))).toBe('NOT_FOUND');
  });
});

test('A name that is outside the strings, or too long, fails as it fails for the decoded type', () => {
  const btf = new BtfAssembler('little')
    .type(Kind.PTR, 0x7fff_ffff, {})
    .type(Kind.STRUCT, 'a'.repeat(200), {})
    .type(Kind.STRUCT, '', { vlen: 1, data: [0x7fff_ffff, 1, 0] });
  const spec = Spec.parse(btf.bytes(), { limits: { nameLength: 100 } });
  const types = new TypeReader(spec);
  const codes = [1, 2, 3].map((id) => {
    types.open(id);
    return codeOf(() => types.findName(id === 3 ? 3 : 0));
  });
  expect(codes).toEqual(['MALFORMED', 'LIMIT_EXCEEDED', 'MALFORMED']);
  expect(codes).toEqual([1, 2, 3].map((id) => codeOf(() => spec.typeById(id))));
});

test('A name that is not UTF-8 is copied as it is decoded', () => {
  const bytes = new BtfAssembler('little').type(Kind.STRUCT, 'a?b', { sizeOrTypeId: 0 }).bytes();
  bytes[bytes.lastIndexOf(0x3f)] = 0xff;
  const spec = Spec.parse(bytes);
  const types = new TypeReader(spec);
  types.open(1);
  expect([nameOf(types), spec.nameOf(1)]).toEqual(['a\u{fffd}b', 'a\u{fffd}b']);
});
