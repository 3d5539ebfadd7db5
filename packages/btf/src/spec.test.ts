import { describe, expect, test } from '@jest/globals';
import { isSplit } from './header.js';
import { Spec } from './spec.js';
import { assembleAllKinds } from './testing/all-kinds.js';
import { BtfAssembler } from './testing/assemble-btf.js';
import { countTypes } from './type-index.js';
import { Kind } from './types.js';

const HEADER_ONLY = new BtfAssembler('little').bytes().slice(0, 24);
new DataView(HEADER_ONLY.buffer).setUint32(20, 0, true);

const float = (name: string | number) =>
  new BtfAssembler('little').type(Kind.FLOAT, name, { sizeOrTypeId: 8 });

describe('Spec', () => {
  const bytes = assembleAllKinds('little').bytes();
  const spec = Spec.parse(bytes);

  test('has the properties of the BTF that it was parsed from', () => {
    expect(spec).toMatchObject({
      base: null,
      byteOrder: 'little',
      firstTypeId: 1,
      typeCount: 29,
      endTypeId: 30,
    });
    expect(spec.bytes).toBe(bytes);
    expect(countTypes(bytes)).toBe(29);
  });

  test('has void as type 0, which is not one of its own', () => {
    expect(spec.typeById(0)).toEqual({ kind: 'VOID', id: 0, name: '' });
    expect([spec.kindOf(0), spec.nameOf(0)]).toEqual([Kind.VOID, '']);
    expect([...spec][0]?.id).toBe(1);
    expect(spec.idsByName('')).not.toContain(0);
  });

  test('iterates over its types in the order of their ids', () => {
    const ids = globalThis.Array.from({ length: 29 }, (_, i) => i + 1);
    expect([...spec].map(({ id }) => id)).toEqual(ids);
    expect([...spec.types()]).toEqual(ids.map((id) => spec.typeById(id)));
  });

  test('decodes one type at a time, so that a loop that ends early only costs the types that it read', () => {
    const broken = float(0xffff).type(Kind.FLOAT, 'good').bytes();
    broken.copyWithin(24, 36, 48);
    broken.set(float(0xffff).bytes().subarray(24, 36), 36);
    const [first] = Spec.parse(broken);
    expect(first?.name).toBe('good');
    expect(() => [...Spec.parse(broken)]).toThrow(
      expect.objectContaining({ code: 'MALFORMED', offset: 36, typeId: 2 }),
    );
  });

  test('decodes a type each time: equal, but not the same object', () => {
    expect(spec.typeById(6)).toEqual(spec.typeById(6));
    expect(spec.typeById(6)).not.toBe(spec.typeById(6));
  });

  test('keeps types that it decoded for a name, in an array of its own for each call', () => {
    const [type, ...others] = spec.typesByName('int');
    expect(others).toEqual([]);
    expect(type).toEqual(spec.typeById(type?.id ?? 0));
    const again = spec.typesByName('int');
    expect(again[0]).toBe(type);
    again.length = 0;
    expect(spec.typesByName('int')).toEqual([type]);
  });

  test('finds the same types after the index of names was asked for, its own and those of the base', () => {
    const base = Spec.parse(bytes);
    const split = Spec.parse(
      new BtfAssembler('little', assembleAllKinds('little').stringEnd).type(Kind.FLOAT, 'own', {}).bytes(),
      { base },
    );
    split.indexNames();
    for (const { id, name } of [...base, ...split]) expect(split.idsByName(name)).toContain(id);
    expect(split.idsByName('nothing')).toEqual([]);
  });

  test.each([30, -1, 1.5, NaN, Infinity, 2 ** 32 + 1])('rejects the id %d', (id) => {
    for (const read of [() => spec.typeById(id), () => spec.kindOf(id), () => spec.nameOf(id)]) {
      expect(read).toThrow(
        expect.objectContaining({ name: 'BtfLookupError', code: 'NOT_FOUND', offset: null }),
      );
    }
  });

  test('finds no type for an unknown name', () => {
    for (const name of ['nothing', 'in', 'intt', 'plain\0', 'int\0char', '\u{fffd}', 'a', 'MAX']) {
      expect(spec.typesByName(name)).toEqual([]);
    }
  });

  test('finds all anonymous types by the empty name', () => {
    expect(spec.idsByName('')).toEqual([...spec].filter(({ name }) => name === '').map(({ id }) => id));
    expect(spec.idsByName('').length).toBeGreaterThan(5);
  });

  test('finds every type of a name, whichever of several equal or longer strings has the name', () => {
    const btf = new BtfAssembler('little');
    const file = btf.string('file');
    const again = btf.string('file');
    const longer = btf.string('seq_file');
    for (const name of [file, longer, again, longer + 4, 0]) btf.type(Kind.FLOAT, name, { sizeOrTypeId: 8 });
    const names = Spec.parse(btf.bytes());
    expect(names.idsByName('file')).toEqual([1, 3, 4]);
    expect(names.typesByName('file').map(({ name }) => name)).toEqual(['file', 'file', 'file']);
    expect(names.idsByName('seq_file')).toEqual([2]);
  });

  test('finds long names, and names that are not ASCII', () => {
    const long = 'x'.repeat(1000);
    const btf = new BtfAssembler('little').type(Kind.FLOAT, long).type(Kind.FLOAT, `${long}y`);
    const names = Spec.parse(btf.type(Kind.FLOAT, 'größe').type(Kind.FLOAT, long).bytes());
    expect(names.idsByName(long)).toEqual([1, 4]);
    expect(names.idsByName(`${long}y`)).toEqual([2]);
    expect(names.idsByName('größe')).toEqual([3]);
    expect(names.idsByName('gr')).toEqual([]);
  });

  test('ignores broken names while it searches for another name', () => {
    const btf = new BtfAssembler('little').type(Kind.FLOAT, 0xffff).type(Kind.FLOAT, 'good');
    expect(Spec.parse(btf.bytes()).idsByName('good')).toEqual([2]);
  });

  test('reports the place of a broken member name', () => {
    const btf = new BtfAssembler('little').type(Kind.FLOAT, 'f');
    btf.type(Kind.STRUCT, 's', { vlen: 2, data: ['a', 1, 0, 0x1000, 1, 0] });
    const broken = Spec.parse(btf.bytes());
    expect(broken.nameOf(2)).toBe('s');
    expect(() => broken.typeById(2)).toThrow(
      expect.objectContaining({
        code: 'MALFORMED',
        typeId: 2,
        offset: 24 + 12 + 12 + 12,
        message: expect.stringMatching(/string offset 4096 .*type id 2, offset 60/),
      }),
    );
  });

  test('reports an id that does not exist when it is looked up', () => {
    const [pointer] = Spec.parse(new BtfAssembler('little').type(Kind.PTR, '', { sizeOrTypeId: 77 }).bytes());
    expect(pointer).toEqual({ kind: 'PTR', id: 1, name: '', typeId: 77 });
  });

  test('parses the empty BTF of a module, with and without base', () => {
    expect([...Spec.parse(HEADER_ONLY)]).toEqual([]);
    expect(isSplit(HEADER_ONLY)).toBe(false);
    expect(countTypes(HEADER_ONLY)).toBe(0);
    const split = Spec.parse(HEADER_ONLY, { base: spec });
    expect(split).toMatchObject({ firstTypeId: 30, typeCount: 0, endTypeId: 30 });
    expect(split.nameOf(1)).toBe('int');
    expect(() => Spec.parse(HEADER_ONLY).typeById(1)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  test.each([
    ['one that ends within its first words', 8, 0],
    ['one that lacks its elements', 12, (Kind.STRUCT << 24) | 1],
    ['a vlen that cannot be true', 12, (Kind.ENUM << 24) | 0xffffff],
  ])('refuses types that end after their section: %s', (_, typeLength, info) => {
    const bad = new Uint8Array(24 + typeLength + 1);
    bad.set(HEADER_ONLY);
    const view = new DataView(bad.buffer);
    for (const [at, word] of [
      [12, typeLength],
      [16, typeLength],
      [20, 1],
    ] as const)
      view.setUint32(at, word, true);
    view.setUint32(28, info, true);
    expect(() => Spec.parse(bad)).toThrow(
      expect.objectContaining({ code: 'MALFORMED', offset: 24, typeId: 1 }),
    );
  });

  test('rejects strings that do not end in NUL', () => {
    const bad = float('double').bytes();
    bad[bad.length - 1] = 0x78;
    expect(() => Spec.parse(bad)).toThrow(
      expect.objectContaining({ code: 'MALFORMED', offset: bad.length - 1 }),
    );
  });

  test.each([
    ['bytes', { bytes: bytes.length }, { bytes: bytes.length - 1 }],
    ['types', { types: 29 }, { types: 28 }],
  ])('keeps its limit of %s', (_, enough, tooFew) => {
    expect(Spec.parse(bytes, { limits: enough }).typeCount).toBe(29);
    expect(() => Spec.parse(bytes, { limits: tooFew })).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });

  test.each(['bytes', 'types', 'nameLength', 'baseDepth'])(
    'uses the default for an undefined limit of %s, and rejects a limit that is not a count',
    (name) => {
      const parse = (limit: unknown) => Spec.parse(bytes, { limits: Object.fromEntries([[name, limit]]) });
      expect(parse(undefined).typeCount).toBe(29);
      expect(parse(Infinity).typeCount).toBe(29);
      for (const wrong of [NaN, -1, 28.5, '28']) {
        expect(() => parse(wrong)).toThrow(
          expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(name) }),
        );
      }
    },
  );

  test('applies its limit of name length when a type is decoded', () => {
    const limited = Spec.parse(float('double').bytes(), { limits: { nameLength: 5 } });
    expect(() => limited.typeById(1)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED', typeId: 1 }));
    expect(Spec.parse(float('double').bytes(), { limits: { nameLength: 6 } }).nameOf(1)).toBe('double');
  });

  test('reads an array inside a larger buffer, at any alignment', () => {
    for (const shift of [0, 1, 2, 3, 4]) {
      const buffer = new Uint8Array(bytes.length + 9).fill(0xaa);
      buffer.set(bytes, shift);
      expect([...Spec.parse(buffer.subarray(shift, shift + bytes.length))]).toEqual([...spec]);
    }
  });
});
