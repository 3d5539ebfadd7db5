import { Kind, type KindRow, KINDS } from './types.js';
import { kindOfInfo, vlenOfInfo } from './words.js';

/** HEAD_WORDS is the number of words that every type begins with: name, info, size or type id. */
export const HEAD_WORDS = 3;

/** KIND_ROWS has the row of each kind at the kind's number. */
export const KIND_ROWS: readonly (KindRow | undefined)[] = /* @__PURE__ */ rowsByNumber();

/** KindWords are the columns of a {@link KindRow} for loops over words, in objects of one shape, which V8 reads faster. */
export type KindWords = Pick<KindRow, 'once' | 'onceIds' | 'each' | 'eachNamed' | 'eachId'> & {
  readonly thirdIsId: boolean;
};

const KIND_WORDS = /* @__PURE__ */ KIND_ROWS.map((row) => (row === undefined ? undefined : wordsOfRow(row)));
const UNKNOWN = /* @__PURE__ */ wordsOfRow({ ...KINDS.FLOAT, third: 'UNUSED' });

/** isKnownKind reports whether this library knows a kind, and so which words of its types are names and type ids. */
export function isKnownKind(kind: number): boolean {
  return KIND_ROWS[kind] !== undefined;
}

/** isComposite reports whether a kind is STRUCT or UNION. */
export function isComposite(kind: number): boolean {
  return kind === Kind.STRUCT || kind === Kind.UNION;
}

/**
 * kindTable returns a table with 1 at the numbers of the kinds whose rows pass a test. Unknown kinds and void fail it.
 */
// A bundler may drop a table that nobody uses.
/* @__NO_SIDE_EFFECTS__ */
export function kindTable(test: (row: KindRow, kind: number) => boolean): Uint8Array {
  return Uint8Array.from(KIND_ROWS, (row, kind) => (row !== undefined && test(row, kind) ? 1 : 0));
}

/** kindTest returns a test of kinds by a {@link kindTable}: loops over all types call such tests. */
/* @__NO_SIDE_EFFECTS__ */
export function kindTest(test: (row: KindRow, kind: number) => boolean): (kind: number) => boolean {
  const passes = kindTable(test);
  return (kind) => passes[kind] === 1;
}

/**
 * kindWords returns the words of the kind in an info word, for loops too hot for {@link visitIds}. Unknown kinds have no
 * words, names or ids.
 */
export function kindWords(info: number): KindWords {
  return KIND_WORDS[kindOfInfo(info)] ?? UNKNOWN;
}

/** wordCount returns the number of words of a type of a known kind. */
export function wordCount(info: number): number {
  const { once, each } = kindWords(info);
  return HEAD_WORDS + once + each * vlenOfInfo(info);
}

/** visitIds calls `visit` with the index of each word of a type that is a type id, in order. */
export function visitIds(words: Int32Array, start: number, visit: (index: number) => void): void {
  const info = words[start + 1] ?? 0;
  const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
  const first = start + HEAD_WORDS;
  if (thirdIsId) visit(start + 2);
  for (let at = first; at < first + onceIds; at++) visit(at);
  if (eachId < 0) return;
  const elements = first + once;
  const end = elements + each * vlenOfInfo(info);
  for (let at = elements + eachId; at < end; at += each) visit(at);
}

/** visitNames calls `visit` with the index of each word of a type that is a name, in order. */
export function visitNames(words: Int32Array, start: number, visit: (index: number) => void): void {
  const info = words[start + 1] ?? 0;
  const { once, each, eachNamed } = kindWords(info);
  visit(start);
  if (!eachNamed) return;
  const elements = start + HEAD_WORDS + once;
  const end = elements + each * vlenOfInfo(info);
  for (let at = elements; at < end; at += each) visit(at);
}

function rowsByNumber(): (KindRow | undefined)[] {
  const rows = new Map<string, KindRow>(Object.entries(KINDS));
  const byNumber: (KindRow | undefined)[] = [];
  for (const [name, number] of Object.entries(Kind)) byNumber[number] = rows.get(name);
  return byNumber;
}

function wordsOfRow({ third, once, onceIds, each, eachNamed, eachId }: KindRow): KindWords {
  return { thirdIsId: third === 'TYPE_ID', once, onceIds, each, eachNamed, eachId };
}
