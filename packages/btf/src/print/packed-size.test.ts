import { expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { Builder } from '../build/builder.js';
import { aligned, packedSize, type PackedMember } from './packed-size.js';
import { structSize } from './struct-size.js';

const SEEDS = 300;

/** Returns the least bytes that members take in any order. */
function least(members: readonly PackedMember[], end = 0): number {
  if (members.length === 0) return end;
  return Math.min(
    ...members.map(({ size, alignment }, i) =>
      least(members.toSpliced(i, 1), aligned(end, alignment) + size),
    ),
  );
}

test('the order of random members is as good as any other', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seeded(seed);
    const members = Array.from({ length: 1 + random(6) }, () => {
      const alignment = 2 ** random(5);
      return { alignment, size: alignment * (1 + random(3)) };
    });
    const widest = Math.max(...members.map(({ alignment }) => alignment));
    expect([seed, aligned(packedSize(members), widest)]).toEqual([seed, aligned(least(members), widest)]);
  }
});

test('small members fill the gaps that an alignment leaves', () => {
  const line = { size: 8, alignment: 64 };
  expect(packedSize([line, line, { size: 48, alignment: 8 }, { size: 8, alignment: 8 }])).toBe(72);
});

const builder = new Builder();
const char = builder.add({ kind: 'INT', name: 'char', size: 1, encoding: 1, bits: 8, bitOffset: 0 });
const long = builder.add({ kind: 'INT', name: 'long', size: 8, encoding: 1, bits: 64, bitOffset: 0 });
const bytes = builder.add({ kind: 'ARRAY', name: '', typeId: char, indexTypeId: long, nelems: 0 });

type Place = readonly [typeId: number, byte: number, bitfieldSize?: number];
const sizeOf = (size: number, ...places: readonly Place[]) => {
  const kind = 'STRUCT' as const;
  const members = places.map(([typeId, byte, bitfieldSize = 0], i) => ({
    name: `m${i}`,
    typeId,
    bitOffset: 8 * byte,
    bitfieldSize,
  }));
  const id = builder.add({ kind, name: `s${builder.toSpec().typeCount}`, size, members });
  return structSize(builder.toSpec(), id);
};

test.each([
  ['two characters around a long', sizeOf(24, [char, 0], [long, 8], [char, 16]), 16],
  ['no holes', sizeOf(16, [long, 0], [char, 8]), 16],
  ['a flexible array, which stays last', sizeOf(24, [char, 0], [long, 8], [char, 16], [bytes, 17]), 16],
  ['bitfields in one unit, which stay together', sizeOf(24, [char, 0], [long, 8, 3], [char, 16]), 8],
  ['a member that was aligned to a cache line', sizeOf(128, [char, 0], [long, 64], [char, 72]), 64],
  ['a packed struct', sizeOf(9, [char, 0], [long, 1]), 9],
])('the best order of %s', (_, { packedSize: packed }, expected) => {
  expect(packed).toBe(expected);
});

test('sizes count holes, bytes in them and padding', () => {
  expect(sizeOf(24, [char, 0], [long, 8], [char, 16])).toEqual({
    size: 24,
    memberCount: 3,
    holes: 1,
    holeBytes: 7,
    padding: 7,
    packedSize: 16,
  });
});
