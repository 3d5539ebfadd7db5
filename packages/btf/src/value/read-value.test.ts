import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { Builder } from '../build/builder.js';
import { BtfReadError } from '../format-error.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { prepareBtf } from '../object/prepare-btf.js';
import { typeByName } from '../query/names.js';
import { sizeof } from '../query/sizeof.js';
import { Spec } from '../spec.js';
import { BtfAssembler, type TypeWords } from '../testing/assemble-btf.js';
import { randomValue } from '../testing/random-value.js';
import { randomValueTypes } from '../testing/random-value-types.js';
import { Kind, type Member, type TypeId } from '../types.js';
import { formatValue } from './format-value.js';
import { readValue } from './read-value.js';

const ORDERS = ['little', 'big'] as const;

/** The values that values.bpf.c gives its variables. */
const VARIABLES = {
  flags: { a: 1, b: 17, c: 0x2abcdef, d: -3, e: 0x123456789an, f: 'GREEN', g: true, h: 6 },
  packed: { a: 0xab, b: -2, c: -1000, d: 0x1234567890abcdefn, e: 0xcd },
  nested: {
    id: -7,
    both: 0x12345678,
    inner: [
      // `raw` has no NUL.
      { name: 'Alice', raw: [97, 98, 99, 100], mac: [0, 0x50, 0x56, 1, 2, 3] },
      { name: '', raw: [1, 0, 0, 0], mac: [0, 0, 0, 0, 0, 0] },
    ],
    colors: ['GREEN', 'NONE', 3],
    pointer: 0xffff888012345678n,
    yes: true,
    no: false,
    f: 1.5,
    d: -0.1,
    wide: -(1n << 100n),
    small: -5n,
    letter: 120,
  },
  flexible: { count: 4, values: [10, -20, 30, -40] },
  counter: 42,
};

test.each([
  ['little', 'bpfel', { low: 0x5678, high: 0x1234 }],
  ['big', 'bpfeb', { low: 0x1234, high: 0x5678 }],
])('variables of an object with %s-endian BTF have the values of their source', (_, target, halves) => {
  const path = new URL(`../../src/value/testdata/values-${target}.bpf.o`, import.meta.url);
  const object = parseBpfObject(new Uint8Array(readFileSync(path)));
  const spec = Spec.parse(prepareBtf(object));
  const section = object.elf.section('.data');
  if (section === null) throw new Error('no section .data');
  const bytes = object.elf.bytes.subarray(section.offset, section.offset + section.size);
  const { id } = typeByName(spec, '.data', 'DATASEC');
  expect(readValue(spec, id, bytes)).toEqual({
    value: { ...VARIABLES, nested: { ...VARIABLES.nested, ...halves } },
    missingBytes: 0,
    extraBytes: 0,
  });
  // As the compiler wrote it, no variable has an offset.
  const compiled = typeByName(object.spec, '.data', 'DATASEC').id;
  expect(() => readValue(object.spec, compiled, bytes)).toThrow('use the BTF that prepareBtf returns');
});

test.each(ORDERS)('random values of random types are what was written, %s-endian', (order) => {
  const random = seeded(7);
  let count = 0;
  for (const seed of [101, 103]) {
    const spec = Spec.parse(randomValueTypes(seed, 400, order));
    for (const id of spec.typeIds()) {
      if (codeOf(() => sizeof(spec, id)) !== 'VALUE') continue;
      const { bytes, value } = randomValue(spec, id, random, { zeroes: true });
      const read = readValue(spec, id, bytes);
      expect({ id, ...read }).toMatchObject({ id, value, missingBytes: 0, extraBytes: 0 });
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(500);
});

const U8 = { kind: 'INT', name: 'u8', size: 1, encoding: 0, bits: 8, bitOffset: 0 } as const;
const INT = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 } as const;
const member = (name: string, typeId: TypeId, bitOffset: number): Member => ({
  name,
  typeId,
  bitOffset,
  bitfieldSize: 0,
});

/** struct s { int a; u8 b[4]; struct { int x; } in; int tail[]; } and its id. */
function sample(): { spec: Spec; id: TypeId } {
  const builder = new Builder();
  const int = builder.add(INT);
  const bytes = builder.add({ kind: 'ARRAY', typeId: builder.add(U8), indexTypeId: int, nelems: 4 });
  const inner = builder.add({ kind: 'STRUCT', name: 'in', size: 4, members: [member('x', int, 0)] });
  const tail = builder.add({ kind: 'ARRAY', typeId: int, indexTypeId: int, nelems: 0 });
  const id = builder.add({
    kind: 'STRUCT',
    name: 's',
    size: 12,
    members: [member('a', int, 0), member('b', bytes, 32), member('in', inner, 64), member('tail', tail, 96)],
  });
  return { spec: builder.toSpec(), id };
}

test.each([
  [0, null, '(struct s)<missing>'],
  [2, { a: null, b: null, in: null, tail: [] }, '{<missing>,<missing>,<missing>,}'],
  [6, { a: 0x04030201, b: [5, 6], in: null, tail: [] }, '{67305985,[5,6,<missing>,],<missing>,}'],
  [10, { a: 0x04030201, b: [5, 6, 7, 8], in: { x: null }, tail: [] }, '{67305985,[5,6,7,8,],{<missing>,},}'],
])('with %p bytes, the other parts are missing', (length, value, text) => {
  const { spec, id } = sample();
  const bytes = Uint8Array.from({ length }, (_, i) => i + 1);
  const missing = { missingBytes: 12 - length, extraBytes: 0 };
  expect(readValue(spec, id, bytes)).toEqual({ value, ...missing });
  const style = { compact: true, skipNames: length > 0 };
  expect(formatValue(spec, id, bytes, style)).toEqual({ text, ...missing });
});

test('bytes after the value are elements of a flexible array, or extra', () => {
  const { spec, id } = sample();
  const bytes = Uint8Array.from({ length: 23 }, (_, i) => (i < 12 || i >= 20 ? 9 : i % 4));
  expect(readValue(spec, id, bytes)).toMatchObject({
    value: { tail: [0x03020100, 0x03020100] },
    missingBytes: 0,
    extraBytes: 3,
  });
  const { text, extraBytes } = formatValue(spec, id, bytes, { compact: true });
  expect(text).toMatch(/[.]tail = \(int\[0\]\)\[50462976,50462976,\],}$/);
  expect(extraBytes).toBe(3);
  expect(readValue(spec, 1, bytes).extraBytes).toBe(19);
});

test('old bitfields, odd sizes and floating point numbers that JavaScript lacks have values', () => {
  const builder = new Builder();
  const add = (size: number, bits: number, bitOffset = 0, encoding = 0): TypeId =>
    builder.add({ kind: 'INT', name: 'i', size, encoding, bits, bitOffset });
  const cases = [
    [add(4, 3, 4), [0xf0, 0, 0, 0], 7],
    [add(3, 24, 0, 1), [0xfe, 0xff, 0xff], -2],
    [add(5, 40), [1, 0, 0, 0, 1], 0x100000001n],
    [builder.add({ kind: 'FLOAT', name: '_Float16', size: 2 }), [0, 0xc2], -3],
    [
      builder.add({ kind: 'FLOAT', name: 'ld', size: 16 }),
      new Uint8Array(16).fill(1),
      new Uint8Array(16).fill(1),
    ],
    [builder.add({ kind: 'ENUM', name: 'e', size: 4, signed: false, values: [] }), [5, 0, 0, 0], 5],
  ] as const;
  const spec = builder.toSpec();
  for (const [id, bytes, value] of cases) {
    expect(readValue(spec, id, Uint8Array.from(bytes)).value).toEqual(value);
  }
});

test('bytes in a value are a copy, also of a Buffer, whose slices are views', () => {
  const builder = new Builder();
  const id = builder.add({ kind: 'FLOAT', name: 'long double', size: 16 });
  const bytes = Buffer.alloc(16, 1);
  const { value } = readValue(builder.toSpec(), id, bytes);
  bytes.fill(2);
  expect(value).toEqual(new Uint8Array(16).fill(1));
});

test('enums are numbers on request', () => {
  const builder = new Builder();
  const values = [{ name: 'ONE', value: 1n }];
  const id = builder.add({ kind: 'ENUM64', name: 'e', size: 8, signed: false, values });
  const bytes = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
  expect(readValue(builder.toSpec(), id, bytes).value).toBe('ONE');
  expect(readValue(builder.toSpec(), id, bytes, { enumNumbers: true }).value).toBe(1n);
});

test('members of one name are numbered, and __proto__ is a member like others', () => {
  const builder = new Builder();
  const int = builder.add(INT);
  const members = [member('a', int, 0), member('a', int, 32), member('__proto__', int, 64)];
  const id = builder.add({ kind: 'STRUCT', name: 's', size: 12, members });
  const { value } = readValue(builder.toSpec(), id, Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0));
  expect(JSON.stringify(value)).toBe('{"a":1,"a___2":2,"__proto__":3}');
});

test.each([
  ['void', () => ({ id: 0, spec: new Builder().toSpec() }), 'INVALID_ARGUMENT'],
  ['no type', () => ({ id: 9, spec: new Builder().toSpec() }), 'NOT_FOUND'],
  [
    'a function',
    (builder: Builder) => builder.add({ kind: 'FUNC_PROTO', returnTypeId: 0, params: [] }),
    'INVALID_ARGUMENT',
  ],
  [
    'a declaration',
    (builder: Builder) => builder.add({ kind: 'FWD', name: 'f', union: false }),
    'INVALID_ARGUMENT',
  ],
  [
    'a tag',
    (builder: Builder) =>
      builder.add({
        kind: 'DECL_TAG',
        name: 't',
        typeId: builder.add(INT),
        componentIdx: -1,
        attribute: false,
      }),
    'INVALID_ARGUMENT',
  ],
  [
    'a struct in which a pointer starts within a byte',
    (builder: Builder) => {
      const pointer = builder.add({ kind: 'PTR', typeId: 0 });
      return builder.add({ kind: 'STRUCT', name: 's', size: 9, members: [member('p', pointer, 3)] });
    },
    'MALFORMED',
  ],
] as const)('%s has no value', (_, make, code) => {
  const builder = new Builder();
  const made = make(builder);
  const { spec, id } = typeof made === 'number' ? { spec: builder.toSpec(), id: made } : made;
  for (const use of [readValue, formatValue]) {
    expect(codeOf(() => use(spec, id, new Uint8Array(16)))).toBe(code);
  }
});

test.each([
  [
    'a huge array of empty structs',
    (btf: BtfAssembler) => btf.type(Kind.STRUCT, '').type(Kind.ARRAY, '', array(1, 2 ** 32 - 1)),
  ],
  [
    'an array of arrays of empty structs',
    (btf: BtfAssembler) =>
      btf
        .type(Kind.STRUCT, '')
        .type(Kind.ARRAY, '', array(1, 100_000))
        .type(Kind.ARRAY, '', array(2, 100_000)),
  ],
  ['a struct that contains itself', (btf: BtfAssembler) => btf.type(Kind.STRUCT, '', pair(1))],
  [
    'structs that each contain the next one twice',
    (btf: BtfAssembler) => {
      btf.type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] });
      for (let id = 2; id < 60; id++) btf.type(Kind.STRUCT, '', pair(id - 1));
      return btf;
    },
  ],
])('%s is bounded by work', (_, write) => {
  const spec = Spec.parse(write(new BtfAssembler('little')).bytes());
  const bytes = new Uint8Array(64).fill(1);
  for (const use of [readValue, formatValue]) {
    expect(codeOf(() => use(spec, spec.endTypeId - 1, bytes))).toBe('LIMIT_EXCEEDED');
  }
});

function array(typeId: TypeId, nelems: number): TypeWords {
  return { data: [typeId, 1, nelems] };
}

function pair(typeId: TypeId): TypeWords {
  return { vlen: 2, sizeOrTypeId: 8, data: ['a', typeId, 0, 'b', typeId, 0] };
}

test('a huge array ends with the bytes', () => {
  const btf = new BtfAssembler('little')
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.ARRAY, '', { data: [1, 1, 0xffffffff] });
  const spec = Spec.parse(btf.bytes());
  const { value, missingBytes } = readValue(spec, 2, Uint8Array.of(1, 0, 0, 0, 2, 0));
  expect({ value, missingBytes }).toEqual({ value: [1, null], missingBytes: 0xffffffff * 4 - 6 });
  expect(formatValue(spec, 2, Uint8Array.of(1, 0, 0, 0), { compact: true }).text).toMatch(
    /\[1,<missing>,\]$/,
  );
});

test('options that libbpf would cut are refused', () => {
  const { spec, id } = sample();
  const bytes = new Uint8Array(12);
  expect(codeOf(() => formatValue(spec, id, bytes, { indent: ' '.repeat(32) }))).toBe('INVALID_ARGUMENT');
  expect(codeOf(() => formatValue(spec, id, bytes, { indentLevel: 256 }))).toBe('INVALID_ARGUMENT');
  expect(codeOf(() => formatValue(spec, id, bytes, { maxLength: 3 }))).toBe('LIMIT_EXCEEDED');
});

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BtfReadError) return error.code;
    throw error;
  }
  return 'VALUE';
}
