import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { printRaw } from './print/bpftool.js';
import { layoutOf } from './print/layout.js';
import { resolveMember } from './query/resolve-member.js';
import { Spec } from './spec.js';
import { BtfAssembler } from './testing/assemble-btf.js';
import { Kind } from './types.js';

const MANY = 500;
const ids = globalThis.Array.from({ length: MANY }, (_, i) => i);

/** An INT, and a struct that stands for one with a million members: its decoding is counted. */
const LARGE = 2;
function withLarge(): BtfAssembler {
  return new BtfAssembler('little')
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.STRUCT, 'large', { vlen: 2, sizeOrTypeId: 8, data: ['a', 1, 0, 'b', 1, 32] });
}

describe('a large struct that many types refer to is decoded fewer than ten times', () => {
  const decoded = jest.spyOn(Spec.prototype, 'typeById');
  const timesDecoded = () => decoded.mock.calls.filter(([id]) => id === LARGE).length;
  beforeEach(() => void decoded.mockClear());
  afterEach(() => expect(timesDecoded()).toBeLessThan(10));

  test('by layoutOf, if many members have its type', () => {
    const btf = withLarge();
    for (const _ of ids) btf.type(Kind.CONST, '', { sizeOrTypeId: LARGE });
    const data = ids.flatMap((i) => [0, 3 + i, 64 * i]);
    btf.type(Kind.STRUCT, 'holder', { vlen: MANY, sizeOrTypeId: 8 * MANY, data });
    const { rows } = layoutOf(Spec.parse(btf.bytes()), 3 + MANY);
    expect(rows).toHaveLength(MANY);
    expect(rows[9]).toMatchObject({ type: 'const struct large', offset: 72, size: 8 });
  });

  test('by resolveMember, if many typedefs of one name stand for it', () => {
    const btf = withLarge();
    const name = btf.string('same');
    for (const _ of ids) btf.type(Kind.TYPEDEF, name, { sizeOrTypeId: LARGE });
    expect(resolveMember(Spec.parse(btf.bytes()), 'same.b')).toMatchObject({ rootId: LARGE, bitOffset: 32 });
  });

  test('by printRaw, if many variables of a data section have its type', () => {
    const data = ids.flatMap(() => [LARGE, 0, 8]);
    const spec = Spec.parse(withLarge().type(Kind.DATASEC, '.bss', { vlen: MANY, data }).bytes());
    const lines = printRaw(spec.typeById(3), spec).split('\n');
    expect(lines).toHaveLength(1 + MANY);
    expect(lines[MANY]).toBe("\ttype_id=2 offset=0 size=8 (STRUCT 'large')");
  });
});

test.each([Kind.STRUCT, Kind.ENUM, Kind.ENUM64, Kind.FUNC_PROTO])(
  'decoding a type of kind %i whose elements share one long name ends at a limit',
  (kind) => {
    const words = kind === Kind.STRUCT || kind === Kind.ENUM64 ? 3 : 2;
    const btf = new BtfAssembler('little');
    const name = btf.string('x'.repeat(16_000));
    const element = [name, ...globalThis.Array.from({ length: words - 1 }, () => 0)];
    // 67,200,000 characters, and 67,104,000: the limit is 67,108,864.
    for (const vlen of [4_200, 4_194]) {
      btf.type(kind, '', { vlen, data: globalThis.Array.from({ length: vlen }, () => element).flat() });
    }
    const spec = Spec.parse(btf.bytes());
    expect(() => spec.typeById(1)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED', typeId: 1 }));
    expect(printRaw(spec.typeById(2)).length).toBeGreaterThan(67_000_000);
    expect(() => spec.typeById(1)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  },
);

test('a layout whose rows share one long name ends at a limit of text', () => {
  const btf = new BtfAssembler('little').type(Kind.STRUCT, 'x'.repeat(16_000), { sizeOrTypeId: 4 });
  const members = ids.slice(0, 400).flatMap((i) => ['m', 1, 32 * i]);
  btf.type(Kind.STRUCT, 'few', { vlen: 400, sizeOrTypeId: 1600, data: members });
  const more = ids.concat(ids).flatMap((i) => ['m', 1, 32 * i]);
  btf.type(Kind.STRUCT, 'many', { vlen: 2 * MANY, sizeOrTypeId: 4000, data: more });
  const spec = Spec.parse(btf.bytes());
  expect(layoutOf(spec, 2).rows).toHaveLength(400);
  expect(() => layoutOf(spec, 3)).toThrow(
    expect.objectContaining({ code: 'LIMIT_EXCEEDED', message: expect.stringContaining('characters') }),
  );
});
