import { describe, expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind } from '../types.js';
import { alignof } from './alignof.js';
import { MAX_CHAIN } from './follow.js';
import { pointerSize } from './pointer-size.js';
import { resolve, unqualified } from './resolve.js';
import { sizeof } from './sizeof.js';

const spec = Spec.parse(assembleAllKinds('little').bytes());
const code = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};
const parse = (fill: (btf: BtfAssembler) => BtfAssembler): Spec =>
  Spec.parse(fill(new BtfAssembler('little')).bytes());

test('resolve follows typedefs, qualifiers and type tags, and unqualified stops at a typedef', () => {
  const ids = [...spec].map(({ id }) => [id, resolve(spec, id).id, unqualified(spec, id).id]);
  const moved = ids.filter(([id, to, bare]) => id !== to || id !== bare);
  expect(moved).toEqual([
    [13, 1, 13],
    [14, 1, 13],
    [15, 1, 13],
    [16, 4, 4],
    [26, 1, 1],
    [27, 1, 1],
  ]);
  expect(resolve(spec, 0)).toEqual({ kind: 'VOID', id: 0, name: '' });
  expect(code(() => resolve(spec, 30))).toBe('NOT_FOUND');
});

describe('sizeof and alignof', () => {
  test.each<[kind: string, id: number, size: unknown, alignment: unknown]>([
    ['VOID', 0, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
    ['INT', 1, 4, 4],
    ['PTR', 4, 8, 8],
    ['ARRAY', 5, 0xfffffff0, 1],
    ['STRUCT', 6, 16, 8],
    ['UNION', 7, 8, 8],
    ['ENUM', 9, 4, 4],
    ['FWD', 11, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
    ['TYPEDEF', 13, 4, 4],
    ['VOLATILE', 14, 4, 4],
    ['CONST', 15, 4, 4],
    ['RESTRICT', 16, 8, 8],
    ['FUNC_PROTO', 17, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
    ['FUNC', 18, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
    ['VAR', 21, 4, 4],
    ['DATASEC', 22, 64, 'INVALID_ARGUMENT'],
    ['FLOAT', 23, 8, 8],
    ['DECL_TAG', 24, 16, 8],
    ['TYPE_TAG', 26, 4, 4],
    ['ENUM64', 28, 8, 8],
    ['an id that is too large', 30, 'NOT_FOUND', 'NOT_FOUND'],
  ])('of %s %d are %p and %p', (_, id, size, alignment) => {
    expect(code(() => sizeof(spec, id))).toBe(size);
    expect(code(() => alignof(spec, id))).toBe(alignment);
    // The result is kept, also that of a failure.
    expect(code(() => alignof(spec, id))).toBe(alignment);
  });

  test('use the size of the first INT that is a long as that of pointers, those of the base first', () => {
    const long = (size: number) => (btf: BtfAssembler) =>
      btf.type(Kind.INT, 'unsigned long', { sizeOrTypeId: size, data: [size * 8] }).type(Kind.PTR, '');
    const narrow = parse(long(4));
    const split = Spec.parse(
      new BtfAssembler('little', 15).type(Kind.INT, 'long', { sizeOrTypeId: 8, data: [64] }).bytes(),
      { base: narrow },
    );
    const specs = [narrow, split, parse(long(8)), parse(long(2)), spec];
    expect(specs.map(pointerSize)).toEqual([4, 4, 8, 8, 8]);
    expect([sizeof(narrow, 2), alignof(split, 2)]).toEqual([4, 4]);
    expect([sizeof(narrow, 2, { pointerSize: 8 }), alignof(narrow, 2, { pointerSize: 8 })]).toEqual([8, 8]);
  });

  test('multiply nested arrays, up to 2^53', () => {
    const nested = (...counts: number[]): Spec =>
      parse((btf) => {
        btf.type(Kind.INT, 'long', { sizeOrTypeId: 8, data: [64] });
        for (const [i, count] of counts.entries()) btf.type(Kind.ARRAY, '', { data: [i + 1, 1, count] });
        return btf;
      });
    const size = (of: Spec): unknown => code(() => sizeof(of, of.typeCount));
    expect(size(nested(3, 5))).toBe(120);
    expect(size(nested(0xffffffff, 0x40000))).toBe(0xffffffff * 0x200000);
    expect(size(nested(0xffffffff, 0x80000))).toBe('LIMIT_EXCEEDED');
    const many = Array.from({ length: 40 }, () => 0xffffffff);
    expect(size(nested(...many))).toBe('LIMIT_EXCEEDED');
    expect([size(nested(...many, 0)), size(nested(0, ...many))]).toEqual([0, 0]);
  });

  test('recognize packed structs by their offsets or size', () => {
    const of = (size: number, offset: number): number =>
      alignof(
        parse((btf) =>
          btf
            .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
            .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: size, data: ['m', 1, offset] }),
        ),
        2,
      );
    expect([of(8, 32), of(6, 0), of(8, 24)]).toEqual([4, 1, 1]);
  });
});

describe('a chain of references', () => {
  const chain = (length: number, last: number): Spec =>
    parse((btf) => {
      for (let id = 1; id <= length; id++) {
        btf.type(Kind.TYPEDEF, 't', { sizeOrTypeId: id < length ? id + 1 : last });
      }
      return btf.type(Kind.FLOAT, 'f', { sizeOrTypeId: 4 });
    });
  const outcomes = (of: Spec): unknown[] => [
    code(() => resolve(of, 1).id),
    code(() => sizeof(of, 1)),
    code(() => alignof(of, 1)),
  ];

  test('is followed to its end', () => {
    expect(outcomes(chain(MAX_CHAIN, MAX_CHAIN + 1))).toEqual([MAX_CHAIN + 1, 4, 4]);
  });

  test('that is too long is rejected, except by alignof, which keeps the result of each link', () => {
    const length = MAX_CHAIN + 1;
    expect(outcomes(chain(length, length + 1))).toEqual(['LIMIT_EXCEEDED', 'LIMIT_EXCEEDED', 4]);
  });

  test.each([1, 2, 3, 8, 300])('of %d that is a loop is rejected', (length) => {
    for (const last of [1, length, Math.ceil(length / 2)]) {
      expect(outcomes(chain(length, last))).toEqual(['MALFORMED', 'MALFORMED', 'MALFORMED']);
    }
  });

  test('that leads out of the BTF is malformed', () => {
    expect(outcomes(chain(3, 99))).toEqual(['MALFORMED', 'MALFORMED', 'MALFORMED']);
  });
});

test('alignof ends quickly in structs that contain the next one twice, 60 levels deep, and in structs nested 20,000 times', () => {
  const nest = (levels: number): Spec => {
    const btf = new BtfAssembler('little');
    for (let id = 1; id <= levels; id++) {
      btf.type(Kind.STRUCT, 0, { vlen: 2, sizeOrTypeId: 8, data: [0, id + 1, 0, 0, id + 1, 0] });
    }
    return Spec.parse(btf.type(Kind.FLOAT, 0, { sizeOrTypeId: 2 }).bytes());
  };
  expect(alignof(nest(60), 1)).toBe(2);
  const deep = nest(20_000);
  expect(alignof(deep, 1)).toBe(2);
  const loops = parse((btf) => {
    for (let id = 1; id <= 3000; id++) {
      btf.type(Kind.STRUCT, 0, { vlen: 1, sizeOrTypeId: 8, data: [0, (id % 3000) + 1, 0] });
    }
    return btf;
  });
  for (let id = 1; id <= 3000; id++) expect(() => alignof(loops, id)).toThrow('contains itself');
});
