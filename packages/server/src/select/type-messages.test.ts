import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { SpecResponseSchema, TypeSchema } from '@btfd/api';
import { Kind, Spec } from '@btfd/btf';
import { BtfWriter } from '../testing/btf-bytes.js';
import { typeChunks } from './type-chunks.js';

/** A kind whose size only the layout section states. */
const NEW_KIND = 25;
const LAYOUT = Array.from({ length: NEW_KIND + 1 }, (_, kind): [number, number] => {
  const elements: Partial<Record<number, number>> = {
    [Kind.STRUCT]: 12,
    [Kind.UNION]: 12,
    [Kind.ENUM]: 8,
    [Kind.FUNC_PROTO]: 8,
    [Kind.DATASEC]: 12,
    [Kind.ENUM64]: 12,
    [NEW_KIND]: 4,
  };
  const fixed: Partial<Record<number, number>> = {
    [Kind.INT]: 4,
    [Kind.ARRAY]: 12,
    [Kind.VAR]: 4,
    [Kind.DECL_TAG]: 4,
    [NEW_KIND]: 8,
  };
  return [fixed[kind] ?? 0, elements[kind] ?? 0];
});

type Expected = NonNullable<MessageInitShape<typeof TypeSchema>['detail']>;
type Words = Parameters<BtfWriter['type']>[2];

/** Each kind as words of linux/btf.h, with its message in the contract. */
const CASES: readonly [string, number, string, Words, Expected][] = [
  [
    'INT',
    1,
    'odd',
    { sizeOrTypeId: 8, data: [(4 << 24) | (3 << 16) | 5] },
    { case: 'int', value: { size: 8, encoding: 4, bitOffset: 3, bits: 5 } },
  ],
  ['PTR', 2, '', { sizeOrTypeId: 1 }, { case: 'ptr', value: { typeId: 1 } }],
  ['PTR to void', 2, '', {}, { case: 'ptr', value: { typeId: 0 } }],
  [
    'ARRAY',
    3,
    '',
    { data: [1, 2, 0xffff_fff0] },
    { case: 'array', value: { typeId: 1, indexTypeId: 2, nelems: 0xffff_fff0 } },
  ],
  [
    'STRUCT',
    4,
    'plain',
    { vlen: 2, sizeOrTypeId: 16, data: ['a', 1, 0, '', 7, 0x0100_0040] },
    {
      case: 'struct',
      value: {
        size: 16,
        members: [
          { name: 'a', typeId: 1 },
          { typeId: 7, bitOffset: 0x0100_0040 },
        ],
      },
    },
  ],
  [
    'STRUCT with bitfields',
    4,
    'fields',
    { vlen: 1, kindFlag: true, sizeOrTypeId: 8, data: ['high', 1, (29 << 24) | 3] },
    {
      case: 'struct',
      value: { size: 8, members: [{ name: 'high', typeId: 1, bitOffset: 3, bitfieldSize: 29 }] },
    },
  ],
  ['STRUCT without members', 4, 'empty', {}, { case: 'struct', value: {} }],
  [
    'UNION',
    5,
    '',
    { vlen: 1, sizeOrTypeId: 8, data: ['b', 4, 0] },
    { case: 'union', value: { size: 8, members: [{ name: 'b', typeId: 4 }] } },
  ],
  [
    'ENUM',
    6,
    'flags',
    { vlen: 2, sizeOrTypeId: 4, data: ['ZERO', 0, 'MAX', 0xffff_ffff] },
    {
      case: 'enum',
      value: { size: 4, signed: false, values: [{ name: 'ZERO' }, { name: 'MAX', value: 0xffff_ffffn }] },
    },
  ],
  [
    'signed ENUM',
    6,
    'codes',
    { vlen: 1, kindFlag: true, sizeOrTypeId: 4, data: ['MINUS', -2] },
    { case: 'enum', value: { size: 4, signed: true, values: [{ name: 'MINUS', value: -2n }] } },
  ],
  ['FWD', 7, 'later', {}, { case: 'fwd', value: { union: false } }],
  ['FWD of a union', 7, 'later', { kindFlag: true }, { case: 'fwd', value: { union: true } }],
  ['TYPEDEF', 8, 'size_t', { sizeOrTypeId: 1 }, { case: 'typedef', value: { typeId: 1 } }],
  ['VOLATILE', 9, '', { sizeOrTypeId: 1 }, { case: 'volatile', value: { typeId: 1 } }],
  ['CONST', 10, '', { sizeOrTypeId: 1 }, { case: 'const', value: { typeId: 1 } }],
  ['RESTRICT', 11, '', { sizeOrTypeId: 1 }, { case: 'restrict', value: { typeId: 1 } }],
  ['FUNC', 12, 'open', { vlen: 2, sizeOrTypeId: 1 }, { case: 'func', value: { typeId: 1, linkage: 2 } }],
  [
    'FUNC_PROTO',
    13,
    '',
    { vlen: 2, sizeOrTypeId: 1, data: ['first', 4, 0, 0] },
    { case: 'funcProto', value: { returnTypeId: 1, params: [{ name: 'first', typeId: 4 }, {}] } },
  ],
  ['VAR', 14, 'counter', { sizeOrTypeId: 1, data: [1] }, { case: 'var', value: { typeId: 1, linkage: 1 } }],
  [
    'DATASEC',
    15,
    '.bss',
    { vlen: 1, sizeOrTypeId: 64, data: [21, 60, 4] },
    { case: 'datasec', value: { size: 64, vars: [{ typeId: 21, offset: 60, size: 4 }] } },
  ],
  ['FLOAT', 16, 'double', { sizeOrTypeId: 8 }, { case: 'float', value: { size: 8 } }],
  [
    'DECL_TAG of a type',
    17,
    'tag',
    { sizeOrTypeId: 6, data: [-1] },
    { case: 'declTag', value: { typeId: 6, componentIdx: -1 } },
  ],
  [
    'DECL_TAG that is an attribute',
    17,
    'tag',
    { kindFlag: true, sizeOrTypeId: 6, data: [1] },
    { case: 'declTag', value: { typeId: 6, componentIdx: 1, attribute: true } },
  ],
  ['TYPE_TAG', 18, 'user', { sizeOrTypeId: 1 }, { case: 'typeTag', value: { typeId: 1 } }],
  [
    'TYPE_TAG that is an attribute',
    18,
    'user',
    { kindFlag: true, sizeOrTypeId: 1 },
    { case: 'typeTag', value: { typeId: 1, attribute: true } },
  ],
  [
    'ENUM64',
    19,
    'wide',
    { vlen: 1, sizeOrTypeId: 8, data: ['TOP', 0xffff_fffe, 0xffff_ffff] },
    { case: 'enum64', value: { size: 8, values: [{ name: 'TOP', bits: 0xffff_ffff_ffff_fffen }] } },
  ],
  [
    'signed ENUM64',
    19,
    'wide',
    { vlen: 1, kindFlag: true, sizeOrTypeId: 8, data: ['LEAST', 0, 0x8000_0000] },
    {
      case: 'enum64',
      value: { size: 8, signed: true, values: [{ name: 'LEAST', bits: 0x8000_0000_0000_0000n }] },
    },
  ],
  [
    'a kind of the future',
    NEW_KIND,
    'new',
    { vlen: 1, kindFlag: true, sizeOrTypeId: 9, data: [1, 2, 3] },
    {
      case: 'unknown',
      value: {
        kindFlag: true,
        vlen: 1,
        sizeOrTypeId: 9,
        data: new Uint8Array(Uint32Array.of(1, 2, 3).buffer),
      },
    },
  ],
];

describe('The message of', () => {
  test.each(CASES)('%s', (_, kind, name, words, detail) => {
    const bytes = new BtfWriter().type(kind, name, words).bytes(kind === NEW_KIND ? LAYOUT : []);
    const [chunk, ...more] = typeChunks(Spec.parse(bytes), [1], 1000);
    if (chunk === undefined) throw new Error('no chunk');
    expect(more).toEqual([]);
    const types = [create(TypeSchema, { id: 1, kind, name, continued: false, detail })];
    const message = create(SpecResponseSchema, { part: { case: 'types', value: { types } } });
    expect(fromBinary(SpecResponseSchema, chunk)).toEqual(message);
    expect(Buffer.from(chunk)).toEqual(Buffer.from(toBinary(SpecResponseSchema, message)));
  });

  test('every kind is tested', () => {
    const kinds = new Set(CASES.map(([, kind]) => kind));
    expect(Object.values(Kind).filter((kind) => kind !== Kind.VOID && !kinds.has(kind))).toEqual([]);
  });
});
