import { expect, test } from '@jest/globals';
import { HEAD_WORDS, isKnownKind, KIND_ROWS, visitIds, visitNames, wordCount } from './kind-words.js';
import { children } from './query/references.js';
import { Spec, typesOf } from './spec.js';
import { assembleAllKinds } from './testing/all-kinds.js';
import { Kind, KINDS, type Type } from './types.js';
import { hostWords } from './words.js';

const spec = Spec.parse(assembleAllKinds('little').bytes());
const { source, offsets } = typesOf(spec);
const words = hostWords(source.bytes, spec.byteOrder);
const startOf = (id: number): number => (offsets[id - 1] ?? 0) / 4;

/** The words that a visitor visits. */
function visited(visit: typeof visitIds, id: number): number[] {
  const found: number[] = [];
  visit(words, startOf(id), (at) => found.push(words[at] ?? 0));
  return found;
}

/** The names that a decoded type has, its own first. */
function namesOf(type: Type): string[] {
  const elements = ['members', 'params', 'values'].flatMap((list): { name: string }[] =>
    Object.entries(type).flatMap(([field, value]) => (field === list ? value : [])),
  );
  return [type.name, ...elements.map(({ name }) => name)];
}

test('every kind but void has a row at its number', () => {
  const numbers = Object.values(Kind).filter((kind) => kind !== Kind.VOID);
  expect(numbers.filter((kind) => !isKnownKind(kind))).toEqual([]);
  expect(Object.keys(KINDS)).toHaveLength(numbers.length);
  expect(isKnownKind(Kind.VOID)).toBe(false);
});

test.each([...spec].map((type) => [`${type.id} ${type.kind}`, type] as const))(
  'the row of type %s describes which of its words are ids and names',
  (_, type) => {
    expect(visited(visitIds, type.id)).toEqual(children(type));
    expect(visited(visitNames, type.id).map((at) => source.strings.get(at, 0, 0))).toEqual(namesOf(type));
    const end = offsets[type.id] ?? source.bytes.length;
    expect(startOf(type.id) + wordCount(words[startOf(type.id) + 1] ?? 0)).toBe(end / 4);
    const row = KIND_ROWS[spec.kindOf(type.id)];
    if (row?.third === 'SIZE') expect(type).toMatchObject({ size: words[startOf(type.id) + HEAD_WORDS - 1] });
    if (row?.named === 'ALWAYS') expect(type.name).not.toBe('');
    if (row?.named === 'NEVER') expect(type.name).toBe('');
  },
);
