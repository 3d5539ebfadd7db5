import { readFileSync } from 'node:fs';
import { describe, expect, jest, test } from '@jest/globals';
import { BtfFormatError } from '../format-error.js';
import { children } from '../query/references.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { BtfAssembler, UNKNOWN_KIND } from '../testing/assemble-btf.js';
import { bpftoolJson, normalizeBpftoolJson } from '../testing/bpftool.js';
import { assembleDistilled, DISTILLED_CASES } from '../testing/distilled-cases.js';
import { Kind } from '../types.js';
import { parseElfBtf, readElfBtf } from './elf-btf.js';
import { relocateSplit } from './relocate-split.js';

function testdata(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`testdata/distilled/${name}`, import.meta.url)));
}

describe('a module that pahole gave a distilled base', () => {
  const file = testdata('module.o');

  test.each(['base', 'moved'])('is relocated onto the kernel "%s" as by bpftool', (kernel) => {
    const dump = new TextDecoder().decode(testdata(`module-on-${kernel}.txt`));
    const { types }: { types: object[] } = JSON.parse(normalizeBpftoolJson(dump));
    const spec = parseElfBtf(file, { base: Spec.parse(testdata(`${kernel}.btf`)) });
    expect([...spec].map((type) => bpftoolJson(type))).toEqual(types.map((type) => JSON.stringify(type)));
    expect(types.length).toBe(18);
  });

  test('stays on the distilled base if there is no other base', () => {
    const spec = parseElfBtf(file);
    const [own] = spec.typesByName('own');
    expect(own?.id).toBe(19);
    expect(spec.base?.bytes).toEqual(readElfBtf(file).distilledBase);
    expect(own !== undefined && children(own).map((id) => spec.nameOf(id))).toContain('list');
  });

  test('cannot be relocated twice, because it no longer refers to the distilled base', () => {
    const base = Spec.parse(testdata('base.btf'));
    const relocated = parseElfBtf(file, { base });
    expect(Spec.parse(relocated.bytes, { base }).typeCount).toBe(relocated.typeCount);
    expect(() => relocateSplit(relocated, base)).toThrow(
      'invalid distilled base: it contains a type of kind',
    );
    expect(() => Spec.parse(relocated.bytes)).toThrow('missing base types');
  });

  test('can be relocated onto a base that is split itself', () => {
    const kernel = Spec.parse(testdata('moved.btf'));
    const below = new BtfAssembler('little').type(Kind.FLOAT, 'unrelated', { sizeOrTypeId: 4 });
    const alone = parseElfBtf(file, { base: kernel });
    const strings = kernel.bytes.subarray(-1 * new DataView(kernel.bytes.buffer).getUint32(20, true));
    const shifted = splitFrom(below, kernel, strings);
    const onSplit = parseElfBtf(file, { base: shifted });
    expect([...onSplit].map(({ name }) => name)).toEqual([...alone].map(({ name }) => name));
    const names = (spec: Spec) => [...spec].map((type) => children(type).map((id) => spec.nameOf(id)));
    expect(names(onSplit)).toEqual(names(alone));
    expect(onSplit.firstTypeId).toBe(alone.firstTypeId + 1);
  });
});

/** The named scalars, structs and unions of a kernel, as BTF that is split from another. */
function splitFrom(below: BtfAssembler, kernel: Spec, strings: Uint8Array): Spec {
  const split = new BtfAssembler('little', below.stringEnd);
  expect(strings.length).toBeGreaterThan(100);
  for (const type of kernel) {
    if (type.kind === 'FWD') split.type(Kind.FWD, type.name, { kindFlag: type.union });
    else if (type.kind === 'INT') {
      const data = [(type.encoding << 24) | type.bits];
      split.type(Kind.INT, type.name, { sizeOrTypeId: type.size, data });
    } else if ('size' in type && type.kind !== 'DATASEC' && type.name !== '') {
      split.type(Kind[type.kind], type.name, { sizeOrTypeId: type.size });
    } else split.type(Kind.PTR, '', {});
  }
  return Spec.parse(split.bytes(), { base: Spec.parse(below.bytes()) });
}

describe.each(['little', 'big'] as const)('relocation of %s-endian split BTF meets', (order) => {
  test.each(DISTILLED_CASES.map((rows) => [rows.what, rows] as const))('%s', (_, rows) => {
    const bytes = assembleDistilled(rows, order);
    const base = Spec.parse(bytes.base);
    const distilled = Spec.parse(bytes.distilled);
    const split = Spec.parse(bytes.split, { base: distilled });
    if (typeof rows.expected === 'string') {
      const message = expect.stringContaining(rows.expected);
      const code = /^type of kind|^anonymous$/.test(rows.expected) ? 'MALFORMED' : 'BASE_MISMATCH';
      expect(() => relocateSplit(split, base)).toThrow(expect.objectContaining({ code, message }));
      return;
    }
    const relocated = relocateSplit(split, base);
    const { expected } = rows;
    const moved = (id: number) =>
      id === 0 ? 0 : (expected[id - 1] ?? id - distilled.endTypeId + base.endTypeId);
    expect([...relocated].map(children)).toEqual([...split].map((type) => children(type).map(moved)));
    const named = (spec: Spec) => [...spec].map(({ kind, name }) => [kind, name]);
    expect(named(relocated)).toEqual(named(split));
    expect(relocated.base).toBe(base);
  });
});

describe('relocation', () => {
  const order = 'little';
  const distilledBtf = new BtfAssembler(order).type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [0x01000020] });
  const distilled = Spec.parse(distilledBtf.bytes());
  const base = Spec.parse(assembleAllKinds(order).bytes());
  const splitOf = (btf: BtfAssembler, on = distilled) => Spec.parse(btf.bytes(), { base: on });
  const assembler = () => new BtfAssembler(order, distilledBtf.stringEnd);

  test('keeps every kind of split BTF, with its names and own references', () => {
    // Split from an empty base, ids are the same as in BTF that stands alone (names are not).
    const alone = assembleAllKinds(order);
    const aloneSpec = Spec.parse(alone.bytes());
    const empty = Spec.parse(new BtfAssembler(order).bytes());
    const split = Spec.parse(alone.bytes(), { base: empty });
    const relocated = relocateSplit(split, base);
    const shift = (id: number) => (id === 0 ? 0 : id + base.typeCount);
    expect([...relocated].map(children)).toEqual([...aloneSpec].map((type) => children(type).map(shift)));
    expect([...relocated].map(({ kind }) => kind)).toEqual([...aloneSpec].map(({ kind }) => kind));
    expect(relocated.typeCount).toBe(aloneSpec.typeCount);
  });

  test('rejects a distilled base that is split, and names that kernels do not accept', () => {
    const onSplit = splitOf(assembler(), splitOf(assembler().type(Kind.FWD, 'f')));
    expect(() => relocateSplit(onSplit, base)).toThrow('invalid distilled base: it is split BTF');
    const long = new BtfAssembler(order).type(Kind.FWD, 'x'.repeat(513));
    const onLong = splitOf(new BtfAssembler(order, long.stringEnd), Spec.parse(long.bytes()));
    expect(() => relocateSplit(onLong, base)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });

  test.each<[string, string, () => Spec]>([
    ['BTF without base', 'MISSING_BASE', () => distilled],
    [
      'BTF whose base is split',
      'MALFORMED',
      () => splitOf(assembler(), splitOf(assembler().type(Kind.PTR, '', { sizeOrTypeId: 1 }))),
    ],
    [
      'a reference after the end',
      'MALFORMED',
      () => splitOf(assembler().type(Kind.PTR, '', { sizeOrTypeId: 3 })),
    ],
    ['a name behind the end', 'MALFORMED', () => splitOf(assembler().type(Kind.FWD, 999))],
    [
      'a distilled base without strings',
      'MALFORMED',
      () => {
        const header = new BtfAssembler(order, 1).bytes();
        return splitOf(assembler(), Spec.parse(header));
      },
    ],
    [
      'an embedded type after the end',
      'MALFORMED',
      () => splitOf(assembler().type(Kind.STRUCT, 's', { vlen: 1, data: ['m', 0xffffffff, 0] })),
    ],
  ])('refuses %s', (_, code, split) => {
    expect(() => relocateSplit(split(), base)).toThrow(expect.objectContaining({ code }));
    expect(() => relocateSplit(split(), base)).toThrow(BtfFormatError);
  });

  test('rejects a base of the other byte order', () => {
    const big = Spec.parse(assembleAllKinds('big').bytes());
    const split = splitOf(assembler().type(Kind.PTR, '', { sizeOrTypeId: 1 }));
    expect(() => relocateSplit(split, big)).toThrow(
      'split BTF is little-endian, but the full base is big-endian',
    );
    expect([...relocateSplit(split, base)].map(children)).toEqual([[1]]);
  });

  test('rejects an unknown kind, which may refer to types', () => {
    const layout = globalThis.Array.from({ length: UNKNOWN_KIND + 1 }, () => [0, 0] as const);
    const split = assembler().type(UNKNOWN_KIND, 'new');
    const spec = Spec.parse(split.bytes({ headerLength: 32, layout }), { base: distilled });
    expect(() => relocateSplit(spec, base)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  test('keeps a layout section', () => {
    const layout = globalThis.Array.from({ length: 21 }, () => [0, 0] as const);
    const split = assembler().type(Kind.TYPEDEF, 'own', { sizeOrTypeId: 1 });
    const spec = Spec.parse(split.bytes({ headerLength: 32, layout }), { base: distilled });
    const relocated = relocateSplit(spec, base);
    expect([...relocated].map(({ name }) => name)).toEqual(['own']);
    expect(relocated.bytes.length).toBe(spec.bytes.length + distilledBtf.stringEnd - 1);
  });

  test('finds sections in any order', () => {
    // Strings, layout, types: the header has the place of each. The result has its own order.
    const layout = globalThis.Array.from({ length: 21 }, () => [0, 0] as const);
    const bytes = assembler()
      .type(Kind.TYPEDEF, 'own', { sizeOrTypeId: 1 })
      .bytes({ headerLength: 32, layout });
    const parts = [bytes.subarray(32, 44), bytes.subarray(44, 44 + 84), bytes.subarray(44 + 84)];
    const swapped = new Uint8Array(Buffer.concat([bytes.subarray(0, 32), ...parts.toReversed()]));
    new Uint32Array(swapped.buffer, 8, 6).set([88, 12, 0, 4, 4, 84]);
    const relocated = relocateSplit(Spec.parse(swapped, { base: distilled }), base);
    expect([...relocated].map(({ name }) => name)).toEqual(['own']);
    expect(relocated.bytes.length).toBe(swapped.length + distilledBtf.stringEnd - 1);
  });

  test('moves the names of elements', () => {
    const btf = assembler()
      .type(Kind.ENUM, 'e', { vlen: 2, sizeOrTypeId: 4, data: ['A', 1, 'B', 2] })
      .type(Kind.ENUM64, 'w', { vlen: 2, sizeOrTypeId: 8, data: ['C', 1, 0, 'D', 2, 0] })
      .type(Kind.STRUCT, 's', { vlen: 2, sizeOrTypeId: 8, data: ['m', 1, 0, 'n', 1, 32] })
      .type(Kind.FUNC_PROTO, '', { vlen: 2, sizeOrTypeId: 1, data: ['p', 1, 'q', 1] });
    const names = (spec: Spec) =>
      [...spec]
        .map(bpftoolJson)
        .join()
        .match(/"name":"[^"]*"/g);
    const split = splitOf(btf);
    expect(names(relocateSplit(split, base))).toEqual(names(split));
    expect(names(split)).toHaveLength(12);
  });

  test('ends for members whose types are cycles', () => {
    const split = assembler()
      .type(Kind.STRUCT, 's', { vlen: 2, data: ['a', 3, 0, 'b', 5, 0] })
      .type(Kind.CONST, '', { sizeOrTypeId: 4 })
      .type(Kind.TYPEDEF, 't', { sizeOrTypeId: 3 })
      .type(Kind.VOLATILE, '', { sizeOrTypeId: 5 });
    expect(relocateSplit(splitOf(split), base).typeCount).toBe(4);
  });

  test('reads each type of both bases at most once if all names are the same', () => {
    // Comparing each distilled type with each type of the base would take 4 * 10^8 comparisons.
    const count = 20_000;
    const same = (btf: BtfAssembler, kinds: (i: number) => number) => {
      const name = btf.string('same');
      for (let i = 0; i < count; i++) btf.type(kinds(i), name, { sizeOrTypeId: i });
      return btf;
    };
    const many = same(new BtfAssembler(order), (i) => (i % 2 === 0 ? Kind.STRUCT : Kind.UNION));
    const full = Spec.parse(same(new BtfAssembler(order), () => Kind.STRUCT).bytes());
    const distilledMany = Spec.parse(many.bytes());
    const split = splitOf(new BtfAssembler(order, many.stringEnd).type(Kind.FWD, 'own'), distilledMany);
    const reads = [full, distilledMany].map((spec) => jest.spyOn(spec, 'typeById'));
    expect(relocateSplit(split, full).typeCount).toBe(1);
    expect(reads.map(({ mock }) => mock.calls.length)).toEqual([count, count]);
  });
});
