import { describe, expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { BtfReadError } from '../format-error.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler, UNKNOWN_KIND } from '../testing/assemble-btf.js';
import { mutate } from '../testing/mutate.js';
import { Kind } from '../types.js';
import { Builder } from './builder.js';
import { convertByteOrder } from './byte-order.js';
import { dedup } from './dedup/dedup.js';
import { merge } from './merge.js';
import { selectTypes } from './select.js';

const ORDERS = ['little', 'big'] as const;
const LAYOUT = globalThis.Array.from(
  { length: UNKNOWN_KIND + 1 },
  (_, kind) => [kind === UNKNOWN_KIND ? 8 : 0, 4] as const,
);

function specOf(btf: BtfAssembler): Spec {
  return Spec.parse(btf.bytes());
}

/** A base of all kinds, and two BTFs split from it. */
function splitSpecs(): { base: Spec; first: Spec; second: Spec } {
  const baseBtf = assembleAllKinds('little');
  const base = specOf(baseBtf);
  const split = (name: string): Spec => {
    const btf = new BtfAssembler('little', baseBtf.stringEnd)
      .type(Kind.STRUCT, name, { vlen: 2, sizeOrTypeId: 16, data: ['a', 13, 0, 'b', 31, 64] })
      .type(Kind.PTR, '', { sizeOrTypeId: 30 });
    return Spec.parse(btf.bytes(), { base });
  };
  return { base, first: split('first'), second: split('second') };
}

describe('selectTypes', () => {
  test('returns only the closure, in its old order, and the new ids', () => {
    const spec = specOf(assembleAllKinds('big'));
    const { bytes, ids } = selectTypes(spec, [19, 8, 0]);
    const selected = Spec.parse(bytes);
    expect(selected.byteOrder).toBe('big');
    expect([...selected].map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'INT int',
      'PTR ',
      'STRUCT fields',
      'FUNC_PROTO ',
      'FUNC global',
    ]);
    expect([0, 1, 2, 4, 8, 17, 18, 19].map((id) => ids[id])).toEqual([0, 1, 0, 2, 3, 4, 0, 5]);
    expect(ids).toHaveLength(30);
  });

  test('selects DECL_TAGs except with declTags: false', () => {
    const spec = specOf(assembleAllKinds('little'));
    const kinds = (declTags: boolean): string[] =>
      [...Spec.parse(selectTypes(spec, [6], { declTags }).bytes)].map(({ kind }) => kind);
    expect(kinds(true)).toEqual(['INT', 'PTR', 'STRUCT', 'UNION', 'DECL_TAG', 'DECL_TAG']);
    expect(kinds(false)).toEqual(['INT', 'PTR', 'STRUCT', 'UNION']);
  });

  test('makes BTF that stands alone of split BTF', () => {
    const { first } = splitSpecs();
    const { bytes, ids } = selectTypes(first, [31], { byteOrder: 'big' });
    const names = [...Spec.parse(bytes)].map(({ name }) => name);
    expect(names).toEqual(['int', 'size_t', 'first', '']);
    expect([ids[1], ids[13], ids[30], ids[31], ids[2]]).toEqual([1, 2, 3, 4, 0]);
  });

  test('makes BTF without types of nothing', () => {
    const { bytes } = selectTypes(specOf(assembleAllKinds('little')), []);
    expect(Spec.parse(bytes).typeCount).toBe(0);
  });

  test('reports an id that does not exist', () => {
    const spec = specOf(assembleAllKinds('little'));
    expect(() => selectTypes(spec, [30])).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });
});

describe('merge', () => {
  test('appends all types, whatever their byte order', () => {
    const [little, big] = ORDERS.map((order) => specOf(assembleAllKinds(order)));
    if (little === undefined || big === undefined) throw new Error('two specs');
    const { bytes, ids } = merge([little, big, little]);
    const merged = Spec.parse(bytes);
    expect([merged.typeCount, merged.byteOrder]).toEqual([87, 'little']);
    expect(merged.typeById(29 + 8)).toMatchObject({ name: 'fields', members: [{ typeId: 30 }, {}, {}, {}] });
    expect(ids.map((map) => [map[0], map[1], map[29]])).toEqual([
      [0, 1, 29],
      [0, 30, 58],
      [0, 59, 87],
    ]);
    expect(Spec.parse(merge([big]).bytes).byteOrder).toBe('big');
    expect(Spec.parse(merge([]).bytes).typeCount).toBe(0);
  });

  test('includes a shared base once', () => {
    const { base, first, second } = splitSpecs();
    for (const specs of [
      [first, second],
      [base, first, second],
    ]) {
      const { bytes, ids } = merge(specs);
      const merged = Spec.parse(bytes);
      expect([...merged].slice(29).map(({ name }) => name)).toEqual(['first', '', 'second', '']);
      expect([...merged].slice(0, 29)).toEqual([...base]);
      expect(ids.at(-1)?.[30]).toBe(32);
    }
  });
});

describe('convertByteOrder', () => {
  test.each(ORDERS)('returns the same bytes as if written %s-endian', (order) => {
    const bytes = assembleAllKinds('little').bytes();
    const expected = assembleAllKinds(order).bytes();
    expect(convertByteOrder(bytes, order)).toEqual(expected);
    expect(convertByteOrder(convertByteOrder(Spec.parse(bytes), order), 'little')).toEqual(bytes);
    expect(convertByteOrder(bytes, order)).not.toBe(bytes);
  });

  test('converts longer headers and the layout section', () => {
    const of = (order: 'little' | 'big'): Uint8Array =>
      assembleAllKinds(order).bytes({ headerLength: 40, layout: LAYOUT });
    expect(convertByteOrder(of('little'), 'big')).toEqual(of('big'));
    const flags = of('little');
    const at = 40 + new DataView(flags.buffer).getUint32(24, true) + 2;
    flags[at] = 1;
    expect(convertByteOrder(flags, 'big')[at + 1]).toBe(1);
  });

  test('converts split BTF without its base, and an empty BTF', () => {
    const { first } = splitSpecs();
    const back = convertByteOrder(convertByteOrder(first, 'big'), 'little');
    expect(back).toEqual(first.bytes);
    const empty = new BtfAssembler('little').bytes();
    expect(Spec.parse(convertByteOrder(empty, 'big'))).toMatchObject({ typeCount: 0, byteOrder: 'big' });
  });

  test('rejects types of unknown kinds', () => {
    const bytes = new BtfAssembler('little').type(UNKNOWN_KIND, 'new', { data: [1, 2] }).bytes({
      headerLength: 32,
      layout: LAYOUT,
    });
    expect(() => convertByteOrder(bytes, 'big')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    expect(convertByteOrder(bytes, 'little')).toEqual(bytes);
  });
});

test('types whose names are all suffixes of one long string are rejected, not copied', () => {
  const btf = new BtfAssembler('little');
  const start = btf.string('x'.repeat(10_000));
  for (let i = 0; i < 10_000; i++) btf.type(Kind.FLOAT, start + i, { sizeOrTypeId: 4 });
  const spec = specOf(btf);
  const limit = expect.objectContaining({ name: 'BtfFormatError', code: 'LIMIT_EXCEEDED' });
  expect(() => merge([spec])).toThrow(limit);
  expect(() => dedup(spec)).toThrow(limit);
  expect(Spec.parse(selectTypes(spec, [1, 5]).bytes).typeCount).toBe(2);
});

test('mutants of BTF are rebuilt, selected from, merged and deduplicated, or end in a BtfFormatError', () => {
  const bytes = assembleAllKinds('little').bytes();
  const random = seeded(0xb111d);
  let [built, refused] = [0, 0];
  const attempt = (run: () => Uint8Array): void => {
    try {
      Spec.parse(run());
      built += 1;
    } catch (error) {
      if (!(error instanceof BtfReadError)) throw error;
      refused += 1;
    }
  };
  for (let i = 0; i < 2000; i++) {
    const mutant = mutate(bytes, random);
    let spec: Spec;
    try {
      spec = Spec.parse(mutant);
    } catch {
      continue;
    }
    const all = globalThis.Array.from({ length: spec.typeCount }, (_, index) => index + 1);
    for (const deduplicate of [true, false]) {
      attempt(() => {
        const builder = new Builder({ deduplicate });
        builder.addAllFrom(spec, all);
        return builder.marshal({ wideVlen: true, replaceEnum64: true, shareSuffixes: true });
      });
    }
    attempt(() => selectTypes(spec, all.slice(-3)).bytes);
    attempt(() => merge([spec, spec]).bytes);
    attempt(() => dedup(spec).bytes);
    attempt(() => convertByteOrder(spec, 'big'));
  }
  expect(built).toBeGreaterThan(2000);
  expect(refused).toBeGreaterThan(200);
});
