import { expect, test } from '@jest/globals';
import { Builder } from './build/builder.js';
import { HEAD_WORDS, isKnownKind, KIND_ROWS, visitIds, visitNames, wordCount } from './kind-words.js';
import { children } from './query/references.js';
import { Spec, typesOf } from './spec.js';
import { assembleAllKinds } from './testing/all-kinds.js';
import { BtfAssembler } from './testing/assemble-btf.js';
import { Kind, KINDS, type Type } from './types.js';
import { hostWords } from './words.js';

/** The words of a spec's own types, and where each type starts. */
function wordsOf(spec: Spec) {
  const { source, offsets } = typesOf(spec);
  const words = hostWords(source.bytes, spec.byteOrder);
  const startOf = (id: number): number => (offsets[id - 1] ?? source.bytes.length) / 4;
  return { words, startOf, strings: source.strings };
}

/** The names that a decoded type has, its own first. */
function namesOf(type: Type): string[] {
  const elements = ['members', 'params', 'values'].flatMap((list): { name: string }[] =>
    Object.entries(type).flatMap(([field, value]) => (field === list ? value : [])),
  );
  return [type.name, ...elements.map(({ name }) => name)];
}

/** A BTF whose type 1 has a kind and, where the kind has any, two elements; all its ids are 1. */
function assembleKind(kind: keyof typeof KINDS): Uint8Array {
  const { named, third, once, onceIds, each, eachNamed, eachId } = KINDS[kind];
  const ownWords = globalThis.Array.from({ length: once }, (_, i) => (i < onceIds ? 1 : 0));
  const elementWord = (i: number): number | string =>
    i === 0 && eachNamed ? 'element' : i === eachId ? 1 : 0;
  const elements = globalThis.Array.from({ length: 2 * each }, (_, i) => elementWord(i % each));
  const btf = new BtfAssembler('little');
  btf.type(Kind[kind], named === 'NEVER' ? '' : 'name', {
    vlen: each === 0 ? 0 : 2,
    sizeOrTypeId: third === 'UNUSED' ? 0 : 1,
    data: [...ownWords, ...elements],
  });
  return btf.bytes();
}

const KIND_NAMES = Object.keys(Kind).filter((name): name is keyof typeof KINDS => Object.hasOwn(KINDS, name));

test('every kind but void has a row at its number', () => {
  const numbers = Object.values(Kind).filter((kind) => kind !== Kind.VOID);
  expect(numbers.filter((kind) => !isKnownKind(kind))).toEqual([]);
  expect(KIND_NAMES).toHaveLength(numbers.length);
  expect(isKnownKind(Kind.VOID)).toBe(false);
});

test.each([
  ...KIND_NAMES.map((kind) => [`a minimal ${kind}`, Spec.parse(assembleKind(kind))] as const),
  ['all kinds', Spec.parse(assembleAllKinds('little').bytes())] as const,
])('%s: the rows describe the ids, names and sizes of decoded types', (_, spec) => {
  const { words, startOf, strings } = wordsOf(spec);
  for (const type of spec) {
    const start = startOf(type.id);
    const ids: number[] = [];
    const names: string[] = [];
    visitIds(words, start, (at) => ids.push(words[at] ?? 0));
    visitNames(words, start, (at) => names.push(strings.get(words[at] ?? 0, 0, 0)));
    expect([ids, names]).toEqual([children(type), namesOf(type)]);
    expect(start + wordCount(words[start + 1] ?? 0)).toBe(startOf(type.id + 1));
    const row = KIND_ROWS[spec.kindOf(type.id)];
    if (row?.third === 'SIZE') expect(type).toMatchObject({ size: words[start + HEAD_WORDS - 1] });
    if (row?.named === 'ALWAYS') expect(type.name).not.toBe('');
    if (row?.named === 'NEVER') expect(type.name).toBe('');
  }
});

test.each(KIND_NAMES)('%s is decoded, and encoded to the same words', (kind) => {
  const spec = Spec.parse(assembleKind(kind));
  const type = spec.typeById(1);
  expect(type.kind).toBe(kind);
  const builder = new Builder({ deduplicate: false });
  builder.add(type);
  const rebuilt = Spec.parse(builder.marshal({ byteOrder: 'little' }));
  expect(rebuilt.typeById(1)).toEqual(type);
  expect(wordsOf(rebuilt).words.length).toBe(wordsOf(spec).words.length);
});
