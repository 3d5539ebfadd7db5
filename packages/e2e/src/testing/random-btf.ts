import { seeded, type Random } from 'test-tools/random';
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

/** sampleOfAllKinds is valid BTF with every kind, and with references of every kind to types. */
export function sampleOfAllKinds(): Uint8Array {
  return btfOf(
    INT, // 1
    { kind: 'INT', name: 'char', third: 1, data: [8] }, // 2
    ref('PTR', 8), // 3
    array(2, 1, 4), // 4
    ref('TYPEDEF', 6, 'alias'), // 5
    ref('CONST', 1), // 6
    ref('VOLATILE', 5), // 7
    struct(32, [
      ['next', 3, 0],
      ['v', 5, 64],
      ['arr', 4, 96],
      ['u', 9, 128],
    ]), // 8
    struct(
      8,
      [
        ['f', 10, 0],
        ['e', 11, 0],
      ],
      { kind: 'UNION', name: '' },
    ), // 9
    { kind: 'FLOAT', name: 'double', third: 8 }, // 10
    enumeration(4, [
      ['A', 0],
      ['B', 1],
    ]), // 11
    { kind: 'ENUM64', name: 'wide', third: 8, vlen: 1, data: ['C', 0, 1] }, // 12
    struct(
      16,
      [
        ['a', 1, 3 << 24],
        ['b', 11, (5 << 24) | 3],
        ['c', 1, 32],
        ['d', 12, 64],
      ],
      { flag: true },
    ), // 13
    { kind: 'FWD', name: 'later' }, // 14
    ref('PTR', 14), // 15
    proto(1, [
      ['x', 3],
      ['y', 7],
      [0, 0],
    ]), // 16
    { kind: 'FUNC', name: 'fn', vlen: 1, third: 16 }, // 17
    variable(13), // 18
    variable(3, 0, 'other'), // 19
    section(32, [
      [18, 0, 16],
      [19, 16, 8],
    ]), // 20
    tag(8, 1), // 21
    tag(17), // 22
    ref('TYPE_TAG', 6, 'user'), // 23
    ref('TYPE_TAG', 23, 'rcu'), // 24
    ref('PTR', 24), // 25
    ref('RESTRICT', 25), // 26
    array(4, 1, 0), // 27
    tag(5), // 28
    tag(18), // 29
  );
}

/** mutantOf returns a mutant of BTF: with one or two changed words in its types, or a changed byte anywhere. */
export function mutantOf(sample: Uint8Array, seed: number): () => Uint8Array {
  const random = seeded(seed);
  const typeBytes = new DataView(sample.buffer).getUint32(12, true);
  return () => {
    const mutant = sample.slice();
    for (let count = 1 + random(2); count > 0; count--) change(mutant, typeBytes, random);
    return mutant;
  };
}

function change(bytes: Uint8Array, typeBytes: number, random: Random): void {
  const view = new DataView(bytes.buffer);
  const at = 24 + 4 * random(typeBytes / 4);
  const old = view.getUint32(at, true);
  const strings = bytes.length - 24 - typeBytes;
  const anywhere = random(bytes.length);
  const inStrings = 24 + typeBytes + random(strings);
  switch (random(9)) {
    case 0:
      bytes[anywhere] = random(256);
      return;
    case 1:
      bytes[random(24)] = random(256);
      return;
    case 2:
      bytes[inStrings] = random(256);
      return;
    case 3:
      return view.setUint32(at, random(34), true);
    case 4:
      return view.setUint32(at, old ^ (1 << random(32)), true);
    case 5:
      return view.setUint32(at, old + 1, true);
    case 6:
      return view.setUint32(at, old - 1, true);
    case 7:
      return view.setUint32(at, random(strings), true);
    default:
      return view.setUint32(at, (old & 0x80ffffff) | ((1 + random(20)) << 24), true);
  }
}

/** Kinds that occur together in one BTF. A choice from all kinds is nearly always rejected for the same reason. */
const MIXES: readonly (readonly TypeWords['kind'][])[] = [
  ['PTR', 'TYPEDEF', 'TYPE_TAG', 'VOLATILE'],
  ['PTR', 'ARRAY', 'STRUCT', 'UNION', 'TYPEDEF', 'INT'],
  ['STRUCT', 'ARRAY', 'INT', 'FWD'],
  ['VAR', 'DATASEC', 'STRUCT', 'PTR', 'ARRAY', 'FWD', 'INT'],
  ['FUNC_PROTO', 'FUNC', 'DECL_TAG', 'PTR', 'STRUCT', 'INT', 'FWD', 'VAR'],
];

/** randomBtf makes BTFs of types that are valid on their own but refer to each other at random. */
export function randomBtf(seed: number): () => Uint8Array {
  const random = seeded(seed);
  return () => {
    const count = 3 + random(random(4) === 0 ? 90 : 14);
    const mix = MIXES[random(MIXES.length)] ?? [];
    const near = random(2) === 0;
    const types: TypeWords[] = [];
    for (let id = 1; id < count; id++) {
      const other = (): number => {
        const to = near ? id + 1 + random(3) : 1 + random(count);
        return to > count ? 1 + random(count) : to;
      };
      const kind = random(12) === 0 ? 'INT' : (mix[random(mix.length)] ?? 'INT');
      types.push(randomType(kind, other, count, random));
    }
    return btfOf(...types, INT);
  };
}

function randomType(kind: TypeWords['kind'], other: () => number, intId: number, random: Random): TypeWords {
  const rarelyVoid = (): number => (random(20) === 0 ? 0 : other());
  switch (kind) {
    case 'ARRAY':
      return array(other(), random(6) === 0 ? other() : intId, random(40) === 0 ? 0x7fffffff : random(3));
    case 'STRUCT':
    case 'UNION':
      return randomComposite(kind, other, random);
    case 'FWD':
      return { kind, name: 'n' };
    case 'FUNC':
      return { kind, name: 'n', vlen: random(2), third: other() };
    case 'FUNC_PROTO': {
      const params = Array.from({ length: random(3) }, () => {
        return [random(3) === 0 ? 0 : 'n', random(9) === 0 ? 0 : other()] as const;
      });
      return proto(random(2) === 0 ? 0 : other(), params);
    }
    case 'VAR':
      return variable(other(), random(2));
    case 'DATASEC': {
      const size = [1, 4, 8, 4096][random(4)] ?? 4;
      return section(1 << 20, [
        [other(), 0, size],
        [other(), size, 64],
      ]);
    }
    case 'DECL_TAG':
      return tag(other(), random(3) - 1);
    case 'INT':
      return { ...INT, data: [random(8) === 0 ? (3 << 16) | 5 : 32] };
    default:
      return ref(kind, rarelyVoid(), kind === 'TYPEDEF' || kind === 'TYPE_TAG' ? 'n' : 0);
  }
}

function randomComposite(kind: 'STRUCT' | 'UNION', other: () => number, random: Random): TypeWords {
  const flag = random(5) === 0;
  let offset = 0;
  const members = Array.from({ length: random(4) }, () => {
    const width = flag && random(2) === 0 ? 3 << 24 : 0;
    const member = ['m', other(), kind === 'UNION' ? 0 : width | offset] as const;
    offset += [0, 8, 64, 3, 1024][random(5)] ?? 0;
    return member;
  });
  return struct([8, 64, 4096, 1 << 20][random(4)] ?? 8, members, { kind, flag });
}
