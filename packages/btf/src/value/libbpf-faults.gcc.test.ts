import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { Builder } from '../build/builder.js';
import type { NewType } from '../build/field-checks.js';
import { Spec } from '../spec.js';
import { LibbpfValues } from '../testing/libbpf-values.js';
import { IntEncoding, type Member, type TypeId } from '../types.js';
import { formatValue, type FormatValueOptions } from './format-value.js';

/** Fault is a value that libbpf prints wrongly, with both texts. */
interface Fault {
  readonly what: string;
  readonly type: (add: (type: NewType) => TypeId) => NewType;
  readonly bytes: readonly number[];
  readonly print?: FormatValueOptions;
  readonly libbpf: string;
  readonly ours: string;
}

const INT: NewType = {
  kind: 'INT',
  name: 'int',
  size: 4,
  encoding: IntEncoding.SIGNED,
  bits: 32,
  bitOffset: 0,
};
const U8: NewType = { kind: 'INT', name: 'u8', size: 1, encoding: 0, bits: 8, bitOffset: 0 };
const CHAR: NewType = { ...U8, name: 'char', encoding: IntEncoding.SIGNED };
const FLOAT: NewType = { kind: 'FLOAT', name: 'f', size: 16 };
const SIGNED_ENUM: NewType = {
  kind: 'ENUM',
  name: 'e',
  size: 4,
  signed: true,
  values: [
    { name: 'MINUS', value: -1 },
    { name: 'ZERO', value: 0 },
  ],
};
const LARGE_ENUM: NewType = { ...SIGNED_ENUM, signed: false, values: [{ name: 'LARGE', value: 0xf0000000 }] };

const member = (name: string, typeId: TypeId, bitOffset: number, bitfieldSize = 0): Member => ({
  name,
  typeId,
  bitOffset,
  bitfieldSize,
});
const struct = (size: number, members: readonly Member[], name = 's'): NewType => ({
  kind: 'STRUCT',
  name,
  size,
  members,
});
const array = (typeId: TypeId, nelems: number): NewType => ({
  kind: 'ARRAY',
  typeId,
  indexTypeId: 1,
  nelems,
});

const FAULTS: readonly Fault[] = [
  {
    what: 'a struct within another is left out if its first member is zero',
    type: (add) => {
      const int = add(INT);
      const inner = add(struct(8, [member('a', int, 0), member('b', int, 32)], 'inner'));
      return struct(8, [member('m', inner, 0)]);
    },
    bytes: [0, 0, 0, 0, 1, 0, 0, 0],
    libbpf: '(struct s){\n}',
    ours: '(struct s){\n\t.m = (struct inner){\n\t\t.b = (int)1,\n\t},\n}',
  },
  {
    what: 'bytes after the first zero of an array are left out, although it is not a text',
    type: (add) => struct(4, [member('mac', add(array(add(U8), 4)), 0)]),
    bytes: [0, 0x50, 0x56, 1],
    libbpf: '(struct s){\n}',
    ours: "(struct s){\n\t.mac = (u8[4])[\n\t\t'\\0',\n\t\t'P',\n\t\t'V',\n\t\t1,\n\t],\n}",
  },
  {
    what: 'zeroes within an array of bytes are left out',
    type: (add) => struct(4, [member('x', add(array(add(U8), 4)), 0)]),
    bytes: [1, 0, 2, 0],
    libbpf: '(struct s){\n\t.x = (u8[4])[\n\t\t1,\n\t\t2,\n\t],\n}',
    ours: "(struct s){\n\t.x = (u8[4])[\n\t\t1,\n\t\t'\\0',\n\t\t2,\n\t\t'\\0',\n\t],\n}",
  },
  {
    what: 'after an array of bytes, a byte is a character, and one after a zero has no value',
    type: (add) => {
      const u8 = add(U8);
      const x = add(array(add(CHAR), 2));
      return struct(5, [member('x', x, 0), member('a', u8, 16), member('b', u8, 24), member('c', u8, 32)]);
    },
    bytes: [65, 66, 67, 0, 1],
    print: { emitZeroes: true, compact: true },
    libbpf: "(struct s){.x = (char[2])['A','B',],.a = (u8)'C',.b = (u8)'\\0',.c = (u8)}",
    ours: "(struct s){.x = (char[2])['A','B',],.a = (u8)67,.b = (u8)0,.c = (u8)1,}",
  },
  {
    what: 'after an array of bytes, zeroes in other arrays are left out',
    type: (add) =>
      struct(16, [member('x', add(array(add(CHAR), 4)), 0), member('y', add(array(add(INT), 3)), 32)]),
    bytes: [65, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0],
    print: { compact: true },
    libbpf: "(struct s){.x = (char[4])['A',],.y = (int[3])[1,2,],}",
    ours: "(struct s){.x = (char[4])['A',],.y = (int[3])[1,0,2,],}",
  },
  {
    what: 'a string as a member has no comma and no end of line',
    type: (add) => struct(8, [member('x', add(array(add(CHAR), 4)), 0), member('y', add(INT), 32)]),
    bytes: [65, 66, 0, 0, 1, 0, 0, 0],
    print: { emitStrings: true },
    libbpf: '(struct s){\n\t.x = (char[4])\t"AB"\t.y = (int)1,\n}',
    ours: '(struct s){\n\t.x = (char[4])"AB",\n\t.y = (int)1,\n}',
  },
  {
    what: 'a string leaves out the bytes after the first zero, although the array is not a text',
    type: (add) => array(add(U8), 4),
    bytes: [65, 0, 66, 0],
    print: { emitStrings: true, compact: true },
    libbpf: '(u8[4])"A"',
    ours: "(u8[4])['A','\\0','B','\\0',]",
  },
  {
    what: 'a number of a signed enum has no comma and no end of line',
    type: (add) => struct(8, [member('x', add(SIGNED_ENUM), 0), member('y', add(INT), 32)]),
    bytes: [7, 0, 0, 0, 1, 0, 0, 0],
    libbpf: '(struct s){\n\t.x = (enum e)7\t.y = (int)1,\n}',
    ours: '(struct s){\n\t.x = (enum e)7,\n\t.y = (int)1,\n}',
  },
  {
    what: 'an enum that is not aligned is zero',
    type: (add) => struct(5, [member('x', add(SIGNED_ENUM), 8)]),
    bytes: [0, 255, 255, 255, 255],
    print: { emitZeroes: true, compact: true },
    libbpf: '(struct s){.x = (enum e)ZERO,}',
    ours: '(struct s){.x = (enum e)MINUS,}',
  },
  {
    what: 'a negative bitfield of an enum is positive',
    type: (add) => struct(4, [member('x', add(SIGNED_ENUM), 0, 3)]),
    bytes: [7, 0, 0, 0],
    print: { compact: true },
    libbpf: '(struct s){.x = (enum e)7}',
    ours: '(struct s){.x = (enum e)MINUS,}',
  },
  {
    what: 'a bitfield of an enum is shown although it is zero, because of its neighbours',
    type: (add) => struct(4, [member('x', add(LARGE_ENUM), 0, 3), member('y', add(INT), 3, 5)]),
    bytes: [8, 0, 0, 0],
    print: { compact: true },
    libbpf: '(struct s){.x = (enum e)0,.y = (int)0x1,}',
    ours: '(struct s){.y = (int)0x1,}',
  },
  {
    what: 'a large unsigned value of an enum has no name',
    type: () => LARGE_ENUM,
    bytes: [0, 0, 0, 0xf0],
    libbpf: '(enum e)4026531840',
    ours: '(enum e)LARGE',
  },
  {
    what: 'a bitfield loses the bits that are not in the integer at its first byte',
    type: (add) => struct(2, [member('x', add(U8), 4, 8)]),
    bytes: [0xf0, 0x0f],
    print: { compact: true },
    libbpf: '(struct s){.x = (u8)0xf,}',
    ours: '(struct s){.x = (u8)0xff,}',
  },
  {
    what: 'a bitfield of Linux before 4.20 is the whole integer',
    type: (add) => struct(4, [member('x', add({ ...INT, bits: 3, bitOffset: 4 }), 0)]),
    bytes: [0xff, 0, 0, 0],
    print: { compact: true },
    libbpf: '(struct s){.x = (int)255,}',
    ours: '(struct s){.x = (int)0x7,}',
  },
  {
    what: 'a floating point number of 16 bytes has the format of the machine that prints',
    type: () => FLOAT,
    bytes: [0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f, 0, 0, 0, 0, 0, 0],
    libbpf: '(f)1.000000',
    ours: '(f)0x3fff8000000000000000',
  },
  {
    what: 'nothing follows an array of empty structs',
    type: (add) => {
      const empty = add(struct(0, [], 'empty'));
      return struct(4, [member('x', add(array(empty, 2)), 0), member('y', add(INT), 0)]);
    },
    bytes: [1, 0, 0, 0],
    print: { emitZeroes: true, compact: true },
    libbpf: '(struct s){.x = (struct empty[2])',
    ours: '(struct s){.x = (struct empty[2])[{},{},],.y = (int)1,}',
  },
  {
    what: 'the value of a variable is indented once more',
    type: (add) => ({ kind: 'VAR', name: 'v', typeId: add(INT), linkage: 0 }),
    bytes: [1, 0, 0, 0],
    print: { indentLevel: 1 },
    libbpf: '\tstatic int v = \t(int)1',
    ours: '\tstatic int v = (int)1',
  },
];

needs('gcc', 'libbpf 1.7').describe('libbpf has a fault, and we do not:', () => {
  let libbpf: LibbpfValues;
  beforeAll(() => {
    libbpf = new LibbpfValues();
  });
  afterAll(() => libbpf.close());

  needs('gcc', 'libbpf 1.7').test.each(FAULTS.map((fault) => [fault.what, fault] as const))(
    '%s',
    (_, fault) => {
      const builder = new Builder();
      const id = builder.add(fault.type((type) => builder.add(type)));
      const btf = builder.marshal();
      const bytes = Uint8Array.from(fault.bytes);
      const options = fault.print ?? {};
      expect(libbpf.print(btf, [{ id, bytes, options }]).map(({ text }) => text)).toEqual([fault.libbpf]);
      expect(formatValue(Spec.parse(btf), id, bytes, options).text).toBe(fault.ours);
    },
  );
});
