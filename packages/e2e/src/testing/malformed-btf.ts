import type { Case } from './malformed-headers.js';
import {
  array,
  btfOf,
  enumeration,
  INT,
  proto,
  ref,
  section,
  struct,
  tag,
  type TypeWords,
  variable,
} from './type-words.js';

const of = (what: string, ...types: readonly TypeWords[]): Case => [what, btfOf(...types)];

/** Returns a chain of `length` types. Each refers to the next, and the last to the first of `rest`. */
function chain(
  kind: TypeWords['kind'],
  length: number,
  name: string | number,
  ...rest: readonly TypeWords[]
): Uint8Array {
  const types = Array.from({ length }, (_, i) => ref(kind, i + 2, name));
  return btfOf(...types, ...rest);
}

/** Returns structs nested to a depth, the outermost first. */
function nested(depth: number): Uint8Array {
  return btfOf(...Array.from({ length: depth }, (_, i) => struct(4, [['m', i + 2, 0]])), INT);
}

/** Returns a chain in which each type refers to the type before it. */
function backwards(kind: TypeWords['kind'], length: number, name: string | number): Uint8Array {
  return btfOf(INT, ...Array.from({ length }, (_, i) => ref(kind, i + 1, name)));
}

const FLOAT: TypeWords = { kind: 'FLOAT', name: 'f', third: 8 };
const BIT: TypeWords = { kind: 'INT', name: 'bit', third: 4, data: [0x00030005] };
const FLAG = { flag: true };
const ODD_NAMES = ['1a', 'a b', 'a-b', '*', 'a\u0001', 'a\u0080', '\u00d7', ' '];
const GOOD_NAMES = ['a', '_', 'A9', 'a.b', '.x', 'x'.repeat(512), '\u00e4', '\u00ffa'];

/** NAMES are BTFs with valid and invalid names. */
export const NAMES: readonly Case[] = [
  ...[...ODD_NAMES, ...GOOD_NAMES, 'x'.repeat(513), ''].flatMap((name) => {
    const what = name.length > 20 ? `${name.length} letters` : JSON.stringify(name);
    return [
      of(`a struct named ${what}`, struct(0, [], { name })),
      of(`a typedef named ${what}`, INT, ref('TYPEDEF', 1, name)),
      of(`a member named ${what}`, INT, struct(4, [[name, 1, 0]])),
      of(`an enum value named ${what}`, enumeration(4, [[name, 0]])),
      of(`a parameter named ${what}`, INT, proto(1, [[name, 1]])),
      of(`a section named ${what}`, section(4, [], { name })),
      of(`a variable named ${what}`, INT, variable(1, 1, name)),
      of(`a function named ${what}`, proto(0), ref('FUNC', 1, name)),
      of(`a declaration named ${what}`, { kind: 'FWD', name }),
      of(`an enum named ${what}`, enumeration(4, [], { name })),
      of(`an int named ${what}`, { ...INT, name }),
      of(`a float named ${what}`, { ...FLOAT, name }),
      of(`a type tag named ${what}`, INT, ref('TYPE_TAG', 1, name)),
      of(`a declaration tag named ${what}`, struct(0, []), tag(1, -1, { name })),
      of(`a pointer named ${what}`, INT, ref('PTR', 1, name)),
    ];
  }),
  of('a name offset beyond the strings', { ...INT, name: 999 }),
  of('a name offset far beyond the strings', { ...INT, name: 0x1000000 }),
  of('a member’s name offset beyond the strings', INT, struct(4, [[999, 1, 0]])),
  of('an enum value’s name offset beyond the strings', enumeration(4, [[999, 1]])),
  of('a parameter’s name offset beyond the strings', INT, proto(1, [[999, 1]])),
  ...['ARRAY', 'CONST', 'VOLATILE', 'RESTRICT', 'FUNC_PROTO'].map((kind) => {
    const data = kind === 'ARRAY' ? [1, 1, 1] : [];
    const third = kind === 'ARRAY' ? 0 : 1;
    return of(`a ${kind} with a name`, INT, { kind: kind as 'ARRAY', name: 'x', third, data });
  }),
];

/** TYPES are BTFs with a type that is invalid or nearly so, independent of other types. */
export const TYPES: readonly Case[] = [
  of('kind 0', { kind: 0 }),
  of('kind 20', { kind: 20 }),
  of('kind 31', { kind: 31 }),
  of('kind 32', { kind: 32 }),
  of('vlen of 17 bits', struct(0, [], { vlen: 0x10000 })),
  ...(
    [
      'INT',
      'PTR',
      'ARRAY',
      'FWD',
      'TYPEDEF',
      'CONST',
      'VAR',
      'FLOAT',
      'DECL_TAG',
      'TYPE_TAG',
      'FUNC',
    ] as const
  ).flatMap((kind) => {
    const data = { INT: [32], ARRAY: [1, 1, 1], VAR: [0], DECL_TAG: [-1] };
    const own = kind in data ? data[kind as 'INT'] : [];
    const third = { FWD: 0, ARRAY: 0, FLOAT: 4, INT: 4, FUNC: 2, DECL_TAG: 3 }[kind as 'FWD'] ?? 1;
    const anonymous = ['PTR', 'ARRAY', 'CONST'].includes(kind);
    const type = { kind, name: anonymous ? 0 : 'x', third, data: own } satisfies TypeWords;
    const others = [INT, proto(0), struct(0, [])];
    return [
      of(`a ${kind}`, ...others, type),
      of(`a ${kind} with vlen`, ...others, { ...type, vlen: 2 }),
      of(`a ${kind} with the kind flag`, ...others, { ...type, flag: true }),
    ];
  }),
  of('a FUNC_PROTO with the kind flag', { ...proto(0), flag: true }),
  of('a DATASEC with the kind flag', section(4, [], FLAG)),
  of('an ENUM with the kind flag', enumeration(4, [['A', -1]], FLAG)),
  of('an ENUM64 with the kind flag', enumeration(8, [], { kind: 'ENUM64', ...FLAG })),
  of('an int of 129 bits', { ...INT, third: 32, data: [129] }),
  of('an int of 128 bits', { ...INT, third: 16, data: [128] }),
  of('an int whose bits and offset are 129', { ...INT, third: 32, data: [(65 << 16) | 64] }),
  of('an int of more bits than bytes', { ...INT, third: 3, data: [25] }),
  of('an int of size 0 without bits', { ...INT, third: 0, data: [0] }),
  of('an int of a huge size', { ...INT, third: 0xffffffff, data: [32] }),
  of('an int with an unknown bit', { ...INT, data: [0x10000020] }),
  ...[1, 2, 3, 4, 5, 8].map((encoding) =>
    of(`an int of encoding ${encoding}`, { ...INT, data: [(encoding << 24) | 32] }),
  ),
  of('an array with a size', INT, { ...array(1, 1, 1), third: 4 }),
  of('an array of void', INT, array(0, 1, 1)),
  of('an array indexed by void', INT, array(1, 0, 1)),
  of('an array of a type with too large an id', INT, array(0x100000, 1, 1)),
  of('a declaration of a union', { kind: 'FWD', name: 'x', ...FLAG }),
  of('a declaration with a type', INT, { kind: 'FWD', name: 'x', third: 1 }),
  ...[0, 1, 2, 3, 4, 8, 16].map((size) => of(`an enum of size ${size}`, enumeration(size, [['A', 1]]))),
  ...[0, 1, 4, 8, 16].map((size) =>
    of(`an ENUM64 of size ${size}`, enumeration(size, [], { kind: 'ENUM64' })),
  ),
  ...[0, 1, 2, 4, 6, 8, 10, 12, 16, 32].map((size) =>
    of(`a float of size ${size}`, { ...FLOAT, third: size }),
  ),
  ...[0, 1, 2, 3].map((linkage) =>
    of(`a function of linkage ${linkage}`, proto(0), { ...ref('FUNC', 1, 'f'), vlen: linkage }),
  ),
  ...[0, 1, 2, 3].map((linkage) => of(`a variable of linkage ${linkage}`, INT, variable(1, linkage))),
  of('a member of type void', struct(8, [['m', 0, 0]])),
  of(
    'a member before the one before it',
    INT,
    struct(8, [
      ['m', 1, 32],
      ['n', 1, 0],
    ]),
  ),
  of(
    'members at the same offset',
    INT,
    struct(8, [
      ['m', 1, 32],
      ['n', 1, 32],
    ]),
  ),
  of('a member beyond its struct', INT, struct(8, [['m', 1, 65]])),
  of('a member of a union not at its start', INT, struct(8, [['m', 1, 8]], { kind: 'UNION' })),
  of(
    'a union',
    INT,
    struct(
      8,
      [
        ['m', 1, 0],
        ['n', 1, 0],
      ],
      { kind: 'UNION' },
    ),
  ),
  of('a section of size 0', section(0, [])),
  of('a section with a variable of size 0', INT, variable(1), section(8, [[2, 0, 0]])),
  of('a section with a variable larger than it', INT, variable(1), section(8, [[2, 0, 9]])),
  of('a section with a variable beyond its end', INT, variable(1), section(8, [[2, 6, 4]])),
  of('a section with a variable after its end', INT, variable(1), section(8, [[2, 8, 4]])),
  of(
    'a section with variables that overlap',
    INT,
    variable(1),
    section(8, [
      [2, 0, 4],
      [2, 3, 4],
    ]),
  ),
  of(
    'a section with variables in the wrong order',
    INT,
    variable(1),
    section(8, [
      [2, 4, 4],
      [2, 0, 4],
    ]),
  ),
  of(
    'a section whose end wraps around',
    INT,
    variable(1),
    section(0xffffffff, [
      [2, 4, 4],
      [2, 0xfffffffe, 4],
    ]),
  ),
  of('a tag of component -2', struct(0, []), tag(1, -2)),
];

/** REFERENCES are BTFs whose types refer to invalid types, or to valid ones in unusual ways. */
export const REFERENCES: readonly Case[] = [
  ...(['PTR', 'CONST', 'TYPEDEF', 'TYPE_TAG'] as const).flatMap((kind) => {
    const name = kind === 'TYPEDEF' || kind === 'TYPE_TAG' ? 'x' : 0;
    return [
      of(`a ${kind} of void`, ref(kind, 0, name)),
      of(`a ${kind} of itself`, ref(kind, 1, name)),
      of(`a ${kind} of no type`, ref(kind, 9, name)),
      of(`a ${kind} of an id that is too large`, ref(kind, 0x100000, name)),
      of(`a ${kind} of a variable`, INT, variable(1), ref(kind, 2, name)),
      of(`a ${kind} of a section`, section(4, []), ref(kind, 1, name)),
      of(`a ${kind} of a tag`, struct(0, []), tag(1), ref(kind, 2, name)),
      of(`a ${kind} of a function`, proto(0), ref('FUNC', 1, 'f'), ref(kind, 2, name)),
      of(`a ${kind} of a prototype`, proto(0), ref(kind, 1, name)),
      of(`a ${kind} of a declaration`, { kind: 'FWD', name: 'x' }, ref(kind, 1, name)),
      [`31 ${kind}s one of the next`, chain(kind, 31, name, INT)] as const,
      [`32 ${kind}s one of the next`, chain(kind, 32, name, INT)] as const,
      [`33 ${kind}s one of the next`, chain(kind, 33, name, INT)] as const,
      [`40 ${kind}s one of the one before`, backwards(kind, 40, name)] as const,
    ];
  }),
  ...[
    { what: 'a declaration', type: { kind: 'FWD', name: 'x' } satisfies TypeWords },
    { what: 'a prototype', type: proto(0) },
    { what: 'a section', type: section(4, []) },
    { what: 'a const void', type: ref('CONST', 0) },
    { what: 'a struct', type: struct(4, []) },
    { what: 'an enum', type: enumeration(4, []) },
    { what: 'a float', type: FLOAT },
    { what: 'a bit', type: BIT },
    { what: 'a pointer', type: ref('PTR', 0) },
  ].flatMap(({ what, type }) => [
    of(`a member that is ${what}`, type, struct(16, [['m', 1, 0]])),
    of(`a member with the kind flag that is ${what}`, type, struct(16, [['m', 1, 0]], FLAG)),
    of(`a bitfield that is ${what}`, type, struct(16, [['m', 1, 2 << 24]], FLAG)),
    of(`an array of ${what}`, type, INT, array(1, 2, 1)),
    of(`an array indexed by ${what}`, type, INT, array(2, 1, 1)),
    of(`a variable that is ${what}`, type, variable(1)),
    of(`a function that returns ${what}`, type, proto(1)),
    of(`a function that takes ${what}`, type, proto(0, [['a', 1]])),
    of(`a function that is ${what}`, type, ref('FUNC', 1, 'f')),
    of(`a tag on ${what}`, type, tag(1)),
    of(`a section with ${what}`, type, section(8, [[1, 0, 8]])),
  ]),
  of('a struct that contains itself', struct(8, [['m', 1, 0]])),
  of('a struct that has a pointer to itself', ref('PTR', 2), struct(8, [['m', 1, 0]])),
  of('structs that contain each other', struct(8, [['m', 2, 0]]), struct(8, [['m', 1, 0]])),
  of('a struct with an array of itself', INT, struct(8, [['m', 3, 0]]), array(2, 1, 1)),
  of('an array of itself', INT, array(2, 1, 1)),
  of('a pointer to a const pointer to it', ref('CONST', 2), ref('PTR', 1)),
  of(
    'a struct with a const pointer that leads back to itself',
    struct(8, [['m', 2, 0]]),
    ref('CONST', 3),
    ref('PTR', 2),
  ),
  of('a pointer to an array of it', INT, array(3, 1, 1), ref('PTR', 2)),
  of('a typedef of a struct that contains the typedef', ref('TYPEDEF', 2, 't'), struct(8, [['m', 1, 0]])),
  ['structs nested 31 times', nested(31)],
  ['structs nested 32 times', nested(32)],
  ['structs nested 33 times', nested(33)],
  of('an array too large', INT, array(1, 1, 0x40000000)),
  of('an array nearly too large', INT, array(1, 1, 0x3fffffff)),
  of('an array of arrays that is too large', INT, array(1, 1, 0x10000), array(2, 1, 0x10000)),
  of('an array without elements', INT, array(1, 1, 0)),
  of('an int that exceeds its struct', INT, struct(4, [['m', 1, 8]])),
  of('an int off a byte boundary', INT, struct(8, [['m', 1, 3]])),
  of('an int off a byte boundary, with the kind flag', INT, struct(8, [['m', 1, 3]], FLAG)),
  of('an int at the end of its struct', INT, struct(8, [['m', 1, 32]])),
  of('a bitfield of 32 bits', INT, struct(4, [['m', 1, 32 << 24]], FLAG)),
  of('a bitfield of 33 bits', INT, struct(8, [['m', 1, (33 << 24) | 0]], FLAG)),
  of('a bitfield that exceeds its struct', INT, struct(4, [['m', 1, (8 << 24) | 25]], FLAG)),
  of('a bitfield up to the end of its struct', INT, struct(4, [['m', 1, (8 << 24) | 24]], FLAG)),
  of('an int of 128 bits off a byte boundary', { ...INT, third: 16, data: [128] }, struct(32, [['m', 1, 1]])),
  of('a bit at an offset that overflows', BIT, struct(0xffffffff, [['m', 1, 0xfffffffe]])),
  of('an enum off a byte boundary', enumeration(4, []), struct(8, [['m', 1, 4]])),
  of('an enum that exceeds its struct', enumeration(4, []), struct(4, [['m', 1, 8]])),
  of('an enum bitfield of 33 bits', enumeration(8, []), struct(8, [['m', 1, 33 << 24]], FLAG)),
  of(
    'an enum of one byte in a struct of one byte, with the kind flag',
    enumeration(1, []),
    struct(1, [['m', 1, 0]], FLAG),
  ),
  of('an enum of one byte in a struct of one byte', enumeration(1, []), struct(1, [['m', 1, 0]])),
  of('a pointer off a byte boundary', ref('PTR', 0), struct(16, [['m', 1, 4]])),
  of('a pointer that exceeds its struct', ref('PTR', 0), struct(4, [['m', 1, 0]])),
  of('a pointer that is not aligned', ref('PTR', 0), struct(16, [['m', 1, 8]])),
  of('a float that is not aligned', FLOAT, struct(16, [['m', 1, 32]])),
  of('a float of 12 bytes aligned to 8', { ...FLOAT, third: 12 }, struct(32, [['m', 1, 64]])),
  of('a float that exceeds its struct', FLOAT, struct(4, [['m', 1, 0]])),
  of('an array that exceeds its struct', INT, array(1, 1, 3), struct(8, [['m', 2, 0]])),
  of('a struct that exceeds its struct', struct(9, []), struct(8, [['m', 1, 0]])),
  of('a const int that exceeds its struct', INT, ref('CONST', 1), struct(2, [['m', 2, 0]])),
  of(
    'a void parameter that is not the last',
    INT,
    proto(0, [
      [0, 0],
      ['a', 1],
    ]),
  ),
  of(
    'a void parameter that is the last',
    INT,
    proto(0, [
      ['a', 1],
      [0, 0],
    ]),
  ),
  of(
    'a void parameter with a name',
    INT,
    proto(0, [
      ['a', 1],
      ['b', 0],
    ]),
  ),
  of('a function with a nameless parameter', INT, proto(0, [[0, 1]]), ref('FUNC', 2, 'f')),
  of('a prototype with a nameless parameter', INT, proto(0, [[0, 1]])),
  of('a function of no prototype', INT, ref('FUNC', 1, 'f')),
  of('a function of no type', ref('FUNC', 9, 'f')),
  of('a variable of void', variable(0)),
  of('a variable of no type', variable(9)),
  of('a variable before its section, too large for it', INT, variable(1), section(2, [[2, 0, 2]])),
  of('a variable after its section, too large for it', INT, section(2, [[3, 0, 2]]), variable(1)),
  of('a section with an int', INT, section(8, [[1, 0, 4]])),
  of('a section with a function', proto(0), ref('FUNC', 1, 'f'), section(8, [[2, 0, 4]])),
  of('a tag on a typedef', INT, ref('TYPEDEF', 1, 't'), tag(2)),
  of('a tag on a component of a typedef', INT, ref('TYPEDEF', 1, 't'), tag(2, 0)),
  of('a tag on a variable', INT, variable(1), tag(2)),
  of('a tag on a component of a variable', INT, variable(1), tag(2, 0)),
  of('a tag on a member', INT, struct(4, [['m', 1, 0]]), tag(2, 0)),
  of('a tag on a member that is not there', INT, struct(4, [['m', 1, 0]]), tag(2, 1)),
  of('a tag on a parameter', INT, proto(0, [['a', 1]]), ref('FUNC', 2, 'f'), tag(3, 0)),
  of('a tag on a parameter that is not there', INT, proto(0, [['a', 1]]), ref('FUNC', 2, 'f'), tag(3, 1)),
  of('a tag on an int', INT, tag(1)),
  of('a tag on no type', tag(9)),
  of('a type tag after a const', INT, ref('TYPE_TAG', 1, 't'), ref('CONST', 2), ref('PTR', 3)),
  of('a type tag before a const', INT, ref('CONST', 1), ref('TYPE_TAG', 2, 't'), ref('PTR', 3)),
  of('type tags around a const', INT, ref('TYPE_TAG', 1, 't'), ref('CONST', 2), ref('TYPE_TAG', 3, 't')),
  of('two type tags', INT, ref('TYPE_TAG', 1, 't'), ref('TYPE_TAG', 2, 't'), ref('PTR', 3)),
];
