import { describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Builder } from './build/builder.js';
import { convertByteOrder } from './build/byte-order.js';
import { dedup } from './build/dedup/dedup.js';
import { selectTypes } from './build/select.js';
import { sortTypes } from './build/sort.js';
import { parseElfBtf } from './elf/elf-btf.js';
import { BtfFormatError } from './format-error.js';
import { parseHeader } from './header.js';
import { adaptBtf } from './kernel/adapt-btf.js';
import { kernelFeaturesOf } from './kernel/kernel-features.js';
import { formatNote } from './notes.js';
import { parseBpfObject } from './object/bpf-object.js';
import { prepareBtf } from './object/prepare-btf.js';
import { Spec } from './spec.js';
import { BtfAssembler, UNKNOWN_KIND } from './testing/assemble-btf.js';
import { assembleElf } from './testing/assemble-elf.js';
import { assembleObject } from './testing/assemble-object.js';
import { bpftoolJson, dumpBytes } from './testing/bpftool.js';
import { assembleDistilled } from './testing/distilled-cases.js';
import { FUTURE_CASES, futureBtf } from './testing/future-btf.js';
import { countTypes, surveyBtf } from './type-index.js';
import { Kind } from './types.js';
import { validate } from './validate/validate.js';

const ORDERS = ['little', 'big'] as const;

const assembled = (order: 'little' | 'big') =>
  new BtfAssembler(order)
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [0x01000020] })
    .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 4, data: ['a', 1, 0] });

describe.each(ORDERS)('%s-endian BTF of a later kernel', (order) => {
  test.each(FUTURE_CASES)('with $what is read, and the rest is a note', ({ change, notes }) => {
    const bytes = futureBtf(assembled(order), order, change);
    const spec = Spec.parse(bytes);
    expect([...spec]).toEqual([...Spec.parse(assembled(order).bytes())]);
    expect(spec.notes.map(formatNote)).toEqual(notes);
    expect(parseHeader(bytes).notes).toEqual(spec.notes);
    expect(surveyBtf(bytes)).toEqual({ typeCount: 2, notes: spec.notes });
    expect(countTypes(bytes)).toBe(2);
  });

  needs('bpftool').test.each(FUTURE_CASES)('with $what is what bpftool reads', ({ change }) => {
    const bytes = futureBtf(assembled(order), order, change);
    expect(dumpBytes(bytes)).toEqual([...Spec.parse(bytes)].map((type) => bpftoolJson(type)));
  });

  test.each(FUTURE_CASES)('with $what has the problems that the kernel reports', ({ change, refusal }) => {
    const spec = Spec.parse(futureBtf(assembled(order), order, change));
    const problems = validate(spec).map(({ typeId, message, offset }) => [typeId, message, offset]);
    expect(problems).toEqual(refusal.map(([message, offset]) => [null, message, offset]));
  });

  test.each(FUTURE_CASES)('with $what is written without the unknown parts', ({ change }) => {
    const spec = Spec.parse(futureBtf(assembled(order), order, change));
    const builder = new Builder();
    builder.addAllFrom(spec, spec.typeIds());
    const written = [
      builder.marshal(),
      selectTypes(spec, [2]).bytes,
      sortTypes(spec).bytes,
      dedup(spec).bytes,
    ];
    for (const bytes of written) {
      expect(Spec.parse(bytes).notes).toEqual([]);
      expect(validate(Spec.parse(bytes))).toEqual([]);
    }
  });

  test('is left to the kernel, or refused with the place, where it would have to be rewritten', () => {
    for (const { change } of FUTURE_CASES.filter(({ notes }) => notes.length > 0)) {
      const bytes = futureBtf(assembled(order), order, change);
      const [note] = Spec.parse(bytes).notes;
      const refused = expect.objectContaining({ code: 'UNSUPPORTED', offset: note?.offset });
      const other = order === 'little' ? 'big' : 'little';
      expect(convertByteOrder(bytes, order)).toEqual(bytes);
      expect(() => convertByteOrder(bytes, other)).toThrow(refused);
      expect(adaptBtf(bytes, {})).toBe(bytes);
      const withFloat = futureBtf(assembled(order).type(Kind.FLOAT, 'd', { sizeOrTypeId: 8 }), order, change);
      expect(() => adaptBtf(withFloat, kernelFeaturesOf(5, 4))).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED' }),
      );
      const object = parseBpfObject(assembleObject(order, bytes, {}));
      expect(object.spec.notes).toEqual(Spec.parse(bytes).notes);
      expect(() => prepareBtf(object)).toThrow(refused);
    }
  });
});

test('the notes of split BTF are its own, and those of its base are the base’s', () => {
  const base = Spec.parse(futureBtf(assembled('little'), 'little', { flags: 4 }));
  const own = new BtfAssembler('little', assembled('little').stringEnd).type(Kind.PTR, 'p', {
    sizeOrTypeId: 2,
  });
  const split = Spec.parse(futureBtf(own, 'little', { surplus: [1, 0, 7] }), { base });
  expect(split.notes.map(formatNote)).toEqual([
    'unknown fields in the header of 44 bytes (offset 32, 12 bytes)',
  ]);
  expect(split.base?.notes.map(formatNote)).toEqual(['unknown flags 0x4 in the header (offset 3, 1 byte)']);
  expect(split.typeById(3)).toMatchObject({ kind: 'PTR', name: 'p' });
});

test('BTF that is moved from a distilled base onto a full one keeps the notes of both', () => {
  const int = [Kind.INT, 'int', { sizeOrTypeId: 4, data: [0x01000020] }] as const;
  const rows = { what: '', distilled: [int], base: [[Kind.FWD, 'f'] as const, int], expected: [2] };
  const { split, distilled, base } = assembleDistilled(rows);
  const longer = (bytes: Uint8Array) => Uint8Array.from([...bytes, 1, 2, 3]);
  const moved = (btf: Uint8Array, distilledBase: Uint8Array) => {
    const sections = [
      { name: '.BTF', bytes: btf },
      { name: '.BTF.base', bytes: distilledBase },
    ];
    return parseElfBtf(assembleElf(64, 'little', sections), { base: Spec.parse(base) });
  };
  const spec = moved(longer(split), longer(distilled));
  expect(spec.bytes).toEqual(moved(split, distilled).bytes);
  expect(spec.notes.map(formatNote)).toEqual([
    `bytes belong to no known section (offset ${split.length}, 3 bytes)`,
    `distilled base: bytes belong to no known section (offset ${distilled.length}, 3 bytes)`,
  ]);
});

describe('types of unknown kinds', () => {
  const layout = Array.from({ length: UNKNOWN_KIND + 2 }, () => [4, 0] as const);
  const btf = assembled('little')
    .type(UNKNOWN_KIND + 1, 'x', { data: [1] })
    .type(UNKNOWN_KIND, 'y', { data: [2] })
    .type(UNKNOWN_KIND + 1, '', { data: [3] });
  const bytes = btf.bytes({ headerLength: 32, layout });
  const message = `types of unknown kinds: 1 of kind ${UNKNOWN_KIND}, 2 of kind ${UNKNOWN_KIND + 1}`;

  test('are one note', () => {
    const { notes } = Spec.parse(bytes);
    // The first follows an INT of 16 bytes and a STRUCT of 24.
    expect(notes).toEqual([{ kind: 'UNKNOWN_KINDS', offset: 32 + 40, length: 3 * 16, message }]);
    expect(surveyBtf(bytes)).toEqual({ typeCount: 5, notes });
  });

  test('of split BTF are counted with the layout section of its base', () => {
    const base = assembled('little').bytes({ headerLength: 32, layout });
    const split = new BtfAssembler('little', assembled('little').stringEnd)
      .type(UNKNOWN_KIND, 'z', { data: [1] })
      .bytes();
    expect(() => countTypes(split)).toThrow(`kind ${UNKNOWN_KIND}`);
    expect(countTypes(split, base)).toBe(1);
    const note = { kind: 'UNKNOWN_KINDS', offset: 24, length: 16 };
    const notes = [{ ...note, message: `types of unknown kinds: 1 of kind ${UNKNOWN_KIND}` }];
    expect(surveyBtf(split, base)).toEqual({ typeCount: 1, notes });
    expect(Spec.parse(split, { base: Spec.parse(base) }).notes).toEqual(notes);
    const ofVersion2 = Uint8Array.from(base);
    ofVersion2[2] = 2;
    for (const read of [countTypes, surveyBtf]) {
      expect(() => read(split, ofVersion2)).toThrow('unknown BTF version 2');
    }
  });

  test('of unknown size cannot be read nor counted, but a survey says from where on', () => {
    const unsized = btf.bytes();
    expect(() => Spec.parse(unsized)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED',
        message: `type of unknown kind ${UNKNOWN_KIND + 1}, and no layout section gives its size (type id 3, offset 64)`,
      }),
    );
    expect(() => countTypes(unsized)).toThrow(BtfFormatError);
    const { typeCount, notes } = surveyBtf(unsized);
    expect([typeCount, ...notes.map(formatNote)]).toEqual([
      null,
      'types cannot be read from here on: the first is of a kind of unknown size (offset 64, 48 bytes)',
    ]);
  });

  test('have no note if the layout section only describes them', () => {
    expect(Spec.parse(assembled('little').bytes({ headerLength: 32, layout })).notes).toEqual([]);
  });
});
