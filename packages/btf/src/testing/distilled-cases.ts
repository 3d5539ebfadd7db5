import { Kind } from '../types.js';
import { BtfAssembler, type TypeWords } from './assemble-btf.js';

type TypeRow = readonly [kind: number, name: string, words?: TypeWords];

/** DistilledCase is a distilled base of one or more types, a base to find them in, and the expected result. */
export interface DistilledCase {
  readonly what: string;
  readonly distilled: readonly TypeRow[];
  /** The first has id 1. */
  readonly base: readonly TypeRow[];
  /** Own types of the split BTF. Default: a pointer to each distilled type. */
  readonly split?: readonly TypeRow[];
  /** The expected id in the base for each distilled type, or part of the expected error. */
  readonly expected: readonly number[] | string;
  /** Whether libbpf rejects a case that we accept. */
  readonly libbpfRefuses?: boolean;
}

const int = (name: string, size: number, encoding = 1): TypeRow => [
  Kind.INT,
  name,
  { sizeOrTypeId: size, data: [(encoding << 24) | (size * 8)] },
];
const sized = (kind: number, name: string, size: number, kindFlag = false): TypeRow => [
  kind,
  name,
  { sizeOrTypeId: size, kindFlag },
];
const fwd = (name: string, union = false): TypeRow => [Kind.FWD, name, { kindFlag: union }];
const { STRUCT, UNION, ENUM, ENUM64, FLOAT, TYPEDEF, FUNC_PROTO, ARRAY, CONST, TYPE_TAG } = Kind;

/** A struct that contains `typeId`, distilled type 1 by default. */
const holder = (typeId = 1): TypeRow => [
  STRUCT,
  'holder',
  { vlen: 1, sizeOrTypeId: 64, data: ['x', typeId, 0] },
];
const s = (size: number, name = 's') => sized(STRUCT, name, size);

/** DISTILLED_CASES are the cases in which a distilled base may be matched. */
export const DISTILLED_CASES: readonly DistilledCase[] = [
  {
    what: 'an integer of the same name, size and encoding',
    distilled: [int('i', 4)],
    base: [int('i', 8), int('i', 4, 0), int('other', 4), int('i', 4)],
    expected: [4],
  },
  { what: 'an integer of another size', distilled: [int('i', 4)], base: [int('i', 8)], expected: 'no match' },
  {
    what: 'no integer of the encoding',
    distilled: [int('i', 4)],
    base: [int('i', 4, 4)],
    expected: 'no match',
  },
  {
    what: 'two equal integers',
    distilled: [int('i', 4)],
    base: [int('i', 4), int('i', 4)],
    expected: 'several',
  },
  {
    what: 'a float of the size',
    distilled: [sized(FLOAT, 'f', 8)],
    base: [sized(FLOAT, 'f', 4), int('f', 8), sized(FLOAT, 'f', 8)],
    expected: [3],
  },
  {
    what: 'enums of both widths',
    distilled: [sized(ENUM, 'e', 4), sized(ENUM, 'e', 8)],
    base: [sized(ENUM64, 'e', 8), sized(ENUM, 'e', 4)],
    expected: [2, 1],
  },
  {
    what: 'no enum of the size',
    distilled: [sized(ENUM, 'e', 4)],
    base: [sized(ENUM64, 'e', 8)],
    expected: 'no match',
  },
  { what: 'a struct that grew', distilled: [s(8)], base: [s(8, 'other'), s(24)], expected: [2] },
  {
    what: 'a struct that has the name and size of an integer',
    distilled: [s(8)],
    base: [int('s', 8), s(8)],
    expected: [2],
    libbpfRefuses: true,
  },
  { what: 'a struct that is missing', distilled: [s(8)], base: [s(8, 'other')], expected: 'no match' },
  { what: 'a typedef of the name', distilled: [s(8)], base: [[TYPEDEF, 's'], s(8)], expected: [2] },
  { what: 'an embedded struct', distilled: [s(8)], base: [s(8)], split: [holder()], expected: [1] },
  {
    what: 'an embedded struct that grew',
    distilled: [s(8)],
    base: [s(24)],
    split: [holder()],
    expected: 'no match of its size',
  },
  {
    what: 'a struct that grew, embedded through an array, a typedef, a tag and a qualifier',
    distilled: [s(8), int('i', 4)],
    base: [s(24), int('i', 4)],
    split: [
      holder(4),
      [CONST, '', { sizeOrTypeId: 5 }],
      [ARRAY, '', { data: [6, 2, 3] }],
      [TYPEDEF, 't', { sizeOrTypeId: 7 }],
      [TYPE_TAG, 'tag', { sizeOrTypeId: 1 }],
    ],
    expected: 'no match of its size',
  },
  {
    what: 'a struct that grew, of which a holder has a pointer',
    distilled: [s(8)],
    base: [s(24)],
    split: [holder(3), [Kind.PTR, '', { sizeOrTypeId: 1 }]],
    expected: [1],
  },
  {
    what: 'a struct that grew, which a function takes',
    distilled: [s(8)],
    base: [s(24)],
    split: [[FUNC_PROTO, '', { vlen: 1, sizeOrTypeId: 0, data: ['x', 1] }]],
    expected: [1],
  },
  { what: 'two structs, one of the size', distilled: [s(8)], base: [s(24), s(8)], expected: [2] },
  { what: 'two structs of other sizes', distilled: [s(8)], base: [s(24), s(16)], expected: 'no match' },
  { what: 'two structs of the size', distilled: [s(8)], base: [s(8), s(8), s(16)], expected: 'several' },
  { what: 'two structs of one name', distilled: [s(8), s(16)], base: [s(16), s(8)], expected: [2, 1] },
  { what: 'a struct that is a union now', distilled: [s(8)], base: [sized(UNION, 's', 4)], expected: [1] },
  { what: 'a union', distilled: [sized(UNION, 'u', 8)], base: [sized(UNION, 'u', 4)], expected: [1] },
  {
    what: 'a struct and a union of the size',
    distilled: [sized(UNION, 's', 8)],
    base: [s(8), sized(UNION, 's', 8)],
    expected: [2],
    libbpfRefuses: true,
  },
  { what: 'a struct that is only declared now', distilled: [s(8)], base: [fwd('s')], expected: [1] },
  {
    what: 'an embedded struct that is only declared now',
    distilled: [s(8)],
    base: [fwd('s')],
    split: [holder()],
    expected: 'no match of its size',
  },
  {
    what: 'a struct and its declaration',
    distilled: [s(8)],
    base: [fwd('s'), s(8)],
    expected: [2],
    libbpfRefuses: true,
  },
  {
    what: 'declarations of struct and union',
    distilled: [fwd('f'), fwd('f', true)],
    base: [fwd('f', true), fwd('f')],
    expected: [2, 1],
  },
  { what: 'a declared struct that is full now', distilled: [fwd('s')], base: [s(8)], expected: [1] },
  {
    what: 'a declared struct that is full now, with bitfields',
    distilled: [fwd('s')],
    base: [sized(STRUCT, 's', 8, true)],
    expected: [1],
    libbpfRefuses: true,
  },
  {
    what: 'a declared union that is full now',
    distilled: [fwd('u', true)],
    base: [sized(UNION, 'u', 8)],
    expected: [1],
    libbpfRefuses: true,
  },
  {
    what: 'a declared struct that is a union now',
    distilled: [fwd('s')],
    base: [sized(UNION, 's', 8)],
    expected: 'no match',
  },
  {
    what: 'a declared struct of which there are two',
    distilled: [fwd('s')],
    base: [s(8), s(4)],
    expected: 'no match',
  },
  {
    what: 'a typedef in the distilled base',
    distilled: [[TYPEDEF, 't']],
    base: [],
    expected: 'type of kind TYPEDEF',
  },
  {
    what: 'a wide enum in the distilled base',
    distilled: [[ENUM64, 't']],
    base: [],
    expected: 'type of kind ENUM64',
  },
  {
    what: 'an anonymous struct in the distilled base',
    distilled: [s(8, '')],
    base: [],
    expected: 'anonymous',
  },
];

/** assembleDistilled writes the three BTFs of a case. */
export function assembleDistilled(rows: DistilledCase, order: 'little' | 'big' = 'little') {
  const write = (btf: BtfAssembler, types: readonly TypeRow[]) => {
    // libbpf counts types of one name by the offset of the name, so equal names must have equal offsets.
    const offsets = new Map<string, number>();
    for (const [kind, name, words] of types) {
      const offset = offsets.get(name) ?? btf.string(name);
      offsets.set(name, offset);
      btf.type(kind, offset, words);
    }
    return btf;
  };
  const distilled = write(new BtfAssembler(order), rows.distilled);
  const pointers: TypeRow[] = rows.distilled.map((_, i) => [Kind.PTR, '', { sizeOrTypeId: i + 1 }]);
  const split = write(new BtfAssembler(order, distilled.stringEnd), rows.split ?? pointers);
  return {
    distilled: distilled.bytes(),
    base: write(new BtfAssembler(order), rows.base).bytes(),
    split: split.bytes(),
  };
}
