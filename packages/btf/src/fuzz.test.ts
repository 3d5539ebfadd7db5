import { describe, expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { BtfFormatError, BtfReadError } from './format-error.js';
import { Spec } from './spec.js';
import { assembleAllKinds } from './testing/all-kinds.js';
import { BtfAssembler, UNKNOWN_KIND } from './testing/assemble-btf.js';
import { exercise, type Outcomes } from './testing/exercise.js';
import { futureBtf } from './testing/future-btf.js';
import { mutate } from './testing/mutate.js';
import { countTypes } from './type-index.js';
import { Kind } from './types.js';

const MUTANTS = 4000;

describe.each(['little', 'big'] as const)(
  'mutants of %s-endian BTF end in a value or a BtfFormatError',
  (order) => {
    const baseBtf = assembleAllKinds(order);
    const base = Spec.parse(baseBtf.bytes());
    const layout = globalThis.Array.from(
      { length: UNKNOWN_KIND + 3 },
      (_, kind) => [kind % 3 === 0 ? 4 : 0, 8] as const,
    );
    const withLayout = assembleAllKinds(order).type(UNKNOWN_KIND, 'new', { vlen: 1, data: [1, 2] });
    const split = new BtfAssembler(order, baseBtf.stringEnd)
      .type(Kind.STRUCT, 'own', { vlen: 2, sizeOrTypeId: 8, data: ['a', 1, 0, 'b', 30, 32] })
      .type(Kind.PTR, '', { sizeOrTypeId: 30 })
      .type(Kind.ENUM64, 'e', { vlen: 1, sizeOrTypeId: 8, data: ['A', 1, 2] });

    test.each<[string, Uint8Array, Spec | null]>([
      ['that stands alone', baseBtf.bytes(), null],
      ['that is split', split.bytes(), base],
      ['with a layout section', withLayout.bytes({ headerLength: 32, layout }), null],
      ['of a later kernel', futureBtf(baseBtf, order, { surplus: [8, 16], gaps: [4, 16, 9] }), null],
    ])('%s', (_, bytes, onBase) => {
      const random = seeded(0xb7f);
      const outcomes: Outcomes = new Map();
      for (let i = 0; i < MUTANTS; i++) exercise(mutate(bytes, random), onBase, outcomes);
      expect(outcomes.get('VALUE')).toBeGreaterThan(MUTANTS);
      expect(outcomes.get('MALFORMED')).toBeGreaterThan(MUTANTS / 20);
      expect(outcomes.get('UNSUPPORTED')).toBeGreaterThan(0);
    });
  },
);

test('every truncation of a BTF ends in a BtfFormatError', () => {
  const bytes = assembleAllKinds('little').bytes();
  for (let length = 0; length < bytes.length; length++) {
    expect(() => Spec.parse(bytes.subarray(0, length))).toThrow(BtfFormatError);
  }
});

describe.each(['little', 'big'] as const)('%s-endian BTF of a later kernel', (order) => {
  const today = assembleAllKinds(order);
  const types = [...Spec.parse(today.bytes())];
  const later = futureBtf(today, order, { flags: 1, surplus: [8, 16, 0], gaps: [4, 16, 9] });
  const headerLength = 32 + 3 * 4;

  test('ends in its types or a BtfFormatError, wherever it is truncated', () => {
    let read = 0;
    for (let length = 0; length < later.length; length++) {
      const cut = later.subarray(0, length);
      const spec = parsed(cut);
      // Only the bytes after the strings may be absent.
      expect(spec === null).toBe(length < later.length - 9);
      if (spec === null) continue;
      read += 1;
      expect([...spec]).toEqual(types);
      exercise(cut, null, new Map());
    }
    expect(read).toBe(9);
  });

  test('ends in a value or a BtfFormatError, whatever a word of its header is', () => {
    const old = new DataView(later.buffer);
    const [lengths, refusals] = [new Set<number>(), new Set<string>()];
    for (let at = 0; at < headerLength; at += 4) {
      const word = old.getUint32(at, order === 'little');
      const near = [word - 4, word - 1, word + 1, word + 4, later.length - headerLength, later.length];
      for (const value of [...near, 0, 1, 4, 24, 28, 32, 36, 2 ** 31, 2 ** 32 - 4, 2 ** 32 - 1]) {
        const changed = later.slice();
        new DataView(changed.buffer).setUint32(at, value, order === 'little');
        exercise(changed, null, new Map());
        const spec = parsed(changed);
        if (spec === null) refusals.add(`${at} ${value}`);
        else lengths.add(spec.notes.length);
        for (const { offset, length } of spec?.notes ?? []) {
          expect(offset >= 0 && length > 0 && offset + length <= later.length).toBe(true);
        }
      }
    }
    // Flags, fields of the header, and four gaps if there is a layout section.
    expect(Math.max(...lengths)).toBeLessThanOrEqual(6);
    expect(lengths.size).toBeGreaterThan(1);
    expect(refusals.size).toBeGreaterThan(40);
  });
});

function parsed(bytes: Uint8Array): Spec | null {
  try {
    return Spec.parse(bytes);
  } catch (error) {
    if (error instanceof BtfReadError) return null;
    throw error;
  }
}

test('the largest number of elements is rejected without an allocation', () => {
  for (let kind = 1; kind < 128; kind++) {
    const bytes = new BtfAssembler('little').type(kind, '', { vlen: 0xffffff }).bytes();
    const hasElements = [4, 5, 6, 13, 15, 19].includes(kind);
    // A kind that only needs its first words is complete without elements.
    const complete = [2, 7, 8, 9, 10, 11, 12, 16, 18].includes(kind);
    if (complete) expect(countTypes(bytes)).toBe(1);
    else expect(() => Spec.parse(bytes)).toThrow(BtfFormatError);
    expect(hasElements && complete).toBe(false);
  }
});
