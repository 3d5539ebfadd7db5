import { Kind } from './types.js';
import { kindOfInfo, vlenOfInfo } from './words.js';

/** HEAD_WORDS is what every type begins with: name, info, size or type id. */
export const HEAD_WORDS = 3;

/** KindWords says which words of a type are names and which are type ids. */
export interface KindWords {
  /** Whether the third word is a type id. */
  readonly thirdIsId: boolean;
  /** Words that follow once. */
  readonly once: number;
  /** How many of those, from the first on, are type ids. */
  readonly onceIds: number;
  /** Words of each element. */
  readonly each: number;
  /** Whether each element begins with a name. */
  readonly eachNamed: boolean;
  /** The index in each element of its type id; -1 where it has none. */
  readonly eachId: number;
}

const PLAIN: KindWords = { thirdIsId: false, once: 0, onceIds: 0, each: 0, eachNamed: false, eachId: -1 };
const REFERENCE: KindWords = { ...PLAIN, thirdIsId: true };
const MEMBERS: KindWords = { ...PLAIN, each: 3, eachNamed: true, eachId: 1 };

const KIND_WORDS: readonly (readonly [kind: number, layout: KindWords])[] = [
  [Kind.INT, { ...PLAIN, once: 1 }],
  [Kind.PTR, REFERENCE],
  [Kind.ARRAY, { ...PLAIN, once: 3, onceIds: 2 }],
  [Kind.STRUCT, MEMBERS],
  [Kind.UNION, MEMBERS],
  [Kind.ENUM, { ...PLAIN, each: 2, eachNamed: true }],
  [Kind.FWD, PLAIN],
  [Kind.TYPEDEF, REFERENCE],
  [Kind.VOLATILE, REFERENCE],
  [Kind.CONST, REFERENCE],
  [Kind.RESTRICT, REFERENCE],
  [Kind.FUNC, REFERENCE],
  [Kind.FUNC_PROTO, { ...REFERENCE, each: 2, eachNamed: true, eachId: 1 }],
  [Kind.VAR, { ...REFERENCE, once: 1 }],
  [Kind.DATASEC, { ...PLAIN, each: 3, eachId: 0 }],
  [Kind.FLOAT, PLAIN],
  [Kind.DECL_TAG, { ...REFERENCE, once: 1 }],
  [Kind.TYPE_TAG, REFERENCE],
  [Kind.ENUM64, { ...PLAIN, each: 3, eachNamed: true }],
];

const BY_KIND: readonly (KindWords | undefined)[] = byKind();

/** isKnownKind tells whether a kind's names and type ids are known. */
export function isKnownKind(kind: number): boolean {
  return BY_KIND[kind] !== undefined;
}

/** kindWords describes the words of a type with an info word, for loops too hot for {@link visitIds}. */
export function kindWords(info: number): KindWords {
  return BY_KIND[kindOfInfo(info)] ?? PLAIN;
}

/** wordCount counts the words of a type of known kind. */
export function wordCount(info: number): number {
  const { once, each } = BY_KIND[kindOfInfo(info)] ?? PLAIN;
  return HEAD_WORDS + once + each * vlenOfInfo(info);
}

/** visitIds calls with the index of each word of a type that is a type id, in their order. */
export function visitIds(words: Int32Array, start: number, visit: (index: number) => void): void {
  const info = words[start + 1] ?? 0;
  const kind = BY_KIND[kindOfInfo(info)] ?? PLAIN;
  const end = start + wordCount(info);
  let at = start + HEAD_WORDS;
  if (kind.thirdIsId) visit(start + 2);
  for (let i = 0; i < kind.onceIds; i++) visit(at + i);
  at += kind.once;
  if (kind.eachId < 0) return;
  for (at += kind.eachId; at < end; at += kind.each) visit(at);
}

/** visitNames calls with the index of each word of a type that is a name, in their order. */
export function visitNames(words: Int32Array, start: number, visit: (index: number) => void): void {
  const info = words[start + 1] ?? 0;
  const kind = BY_KIND[kindOfInfo(info)] ?? PLAIN;
  const end = start + wordCount(info);
  visit(start);
  if (!kind.eachNamed) return;
  for (let at = start + HEAD_WORDS + kind.once; at < end; at += kind.each) visit(at);
}

function byKind(): (KindWords | undefined)[] {
  const words: (KindWords | undefined)[] = [];
  for (const [kind, layout] of KIND_WORDS) words[kind] = layout;
  return words;
}
