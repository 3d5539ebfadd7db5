import { Kind, type KindRow, KINDS } from './types.js';
import { kindOfInfo, vlenOfInfo } from './words.js';

/** HEAD_WORDS is the number of words that every type begins with: name, info, size or type id. */
export const HEAD_WORDS = 3;

/** KIND_ROWS has the row of each kind at the kind's number. */
export const KIND_ROWS: readonly (KindRow | undefined)[] = rowsByNumber();

/** isKnownKind reports whether this library knows a kind, and so which words of its types are names and type ids. */
export function isKnownKind(kind: number): boolean {
  return KIND_ROWS[kind] !== undefined;
}

/** isComposite reports whether a kind is STRUCT or UNION. */
export function isComposite(kind: number): boolean {
  return kind === Kind.STRUCT || kind === Kind.UNION;
}

/** kindsWhere returns the numbers of the kinds whose row passes a test. */
export function kindsWhere(test: (row: KindRow) => boolean): ReadonlySet<number> {
  return new Set(
    [...KIND_ROWS.keys()].filter((kind) => {
      const row = KIND_ROWS[kind];
      return row !== undefined && test(row);
    }),
  );
}

/**
 * rowOfInfo returns the row for the kind in an info word, for loops too hot for {@link visitIds}. The row for an unknown
 * kind has no words, names or ids.
 */
export function rowOfInfo(info: number): KindRow {
  return KIND_ROWS[kindOfInfo(info)] ?? UNKNOWN;
}

/** wordCount returns the number of words of a type of a known kind. */
export function wordCount(info: number): number {
  const { once, each } = rowOfInfo(info);
  return HEAD_WORDS + once + each * vlenOfInfo(info);
}

/** visitIds calls `visit` with the index of each word of a type that is a type id, in order. */
export function visitIds(words: Int32Array, start: number, visit: (index: number) => void): void {
  const info = words[start + 1] ?? 0;
  const row = rowOfInfo(info);
  const end = start + wordCount(info);
  let at = start + HEAD_WORDS;
  if (row.third === 'TYPE_ID') visit(start + 2);
  for (let i = 0; i < row.onceIds; i++) visit(at + i);
  at += row.once;
  if (row.eachId < 0) return;
  for (at += row.eachId; at < end; at += row.each) visit(at);
}

/** visitNames calls `visit` with the index of each word of a type that is a name, in order. */
export function visitNames(words: Int32Array, start: number, visit: (index: number) => void): void {
  const info = words[start + 1] ?? 0;
  const row = rowOfInfo(info);
  const end = start + wordCount(info);
  visit(start);
  if (!row.eachNamed) return;
  for (let at = start + HEAD_WORDS + row.once; at < end; at += row.each) visit(at);
}

const UNKNOWN: KindRow = { ...KINDS.FLOAT, since: [Infinity, 0], third: 'UNUSED', size: 'NONE' };

function rowsByNumber(): (KindRow | undefined)[] {
  const rows = new Map<string, KindRow>(Object.entries(KINDS));
  const byNumber: (KindRow | undefined)[] = [];
  for (const [name, number] of Object.entries(Kind)) byNumber[number] = rows.get(name);
  return byNumber;
}
