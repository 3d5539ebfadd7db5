import { Kind, type TypeId } from '../types.js';
import type { StringBytes } from './string-bytes.js';
import { TypeHashes } from './type-hashes.js';
import type { TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/** The rank of types that are printed where they are used. */
const LAST = 10;

/** SortKeys are the keys of types by id, the most significant first. Names are ranks in the order of their bytes. */
interface SortKeys {
  readonly rank: Uint32Array;
  /** The name of the type at the end of the references. */
  readonly sortName: Uint32Array;
  readonly ownName: Uint32Array;
}

/**
 * sortForC returns the ids of the types that C can print, in the order of bpftool 7.8: enums first, then structs and
 * unions, by name. So the headers of two similar kernels have few differences.
 */
export function sortForC(types: TypeWords, strings: StringBytes, work: WorkLimit): Uint32Array {
  const ids = printedIds(types);
  const { keys, names } = keysOf(ids, types, strings, work);
  // A counting sort keeps the order of equal keys. So the most significant key is the last.
  let sorted = sortByKey(ids, keys.ownName, names);
  sorted = sortByKey(sorted, keys.sortName, names);
  sorted = sortByKey(sorted, keys.rank, LAST + 1);
  sortEqual(sorted, keys, new TypeHashes(types, strings, work));
  return sorted;
}

function printedIds(types: TypeWords): Uint32Array {
  const ids = new Uint32Array(types.endTypeId);
  let count = 0;
  for (let id = 1; id < types.endTypeId; id++) {
    if (!isPrinted(types.kind(id))) continue;
    ids[count] = id;
    count += 1;
  }
  return ids.subarray(0, count);
}

/** Returns the keys of types, and the number of different names. */
function keysOf(
  ids: Uint32Array,
  types: TypeWords,
  strings: StringBytes,
  work: WorkLimit,
): { readonly keys: SortKeys; readonly names: number } {
  const keys: SortKeys = {
    rank: new Uint32Array(types.endTypeId),
    sortName: new Uint32Array(types.endTypeId),
    ownName: new Uint32Array(types.endTypeId),
  };
  const places = new Map([[0, 0]]);
  for (let i = 0; i < ids.length; i++) readKeys(ids[i] ?? 0, types, work, keys, places);
  const names = rankNames(places, strings, work);
  for (let i = 0; i < ids.length; i++) rankKeys(ids[i] ?? 0, keys, places);
  return { keys, names };
}

/** Sets the keys of a type to offsets of names, and collects these. */
function readKeys(
  id: TypeId,
  types: TypeWords,
  work: WorkLimit,
  keys: SortKeys,
  names: Map<number, number>,
): void {
  const sortName = sortNameOf(types, id, work);
  const ownName = types.name(id);
  names.set(sortName, 0);
  if (ownName !== sortName) names.set(ownName, 0);
  keys.rank[id] = rankOf(types, id, work);
  keys.sortName[id] = sortName;
  keys.ownName[id] = ownName;
}

/** Replaces the offsets of a type's names by their ranks. */
function rankKeys(id: TypeId, { sortName, ownName }: SortKeys, ranks: ReadonlyMap<number, number>): void {
  sortName[id] = ranks.get(sortName[id] ?? 0) ?? 0;
  ownName[id] = ranks.get(ownName[id] ?? 0) ?? 0;
}

/** Gives each string offset the rank of its string, and returns the number of ranks. */
function rankNames(ranks: Map<number, number>, strings: StringBytes, work: WorkLimit): number {
  const offsets = Uint32Array.from(ranks.keys()).toSorted((a, b) => strings.compare(a, b, work));
  let rank = 0;
  for (let i = 0; i < offsets.length; i++) {
    const offset = offsets[i] ?? 0;
    if (i > 0 && strings.compare(offsets[i - 1] ?? 0, offset, work) !== 0) rank += 1;
    ranks.set(offset, rank);
  }
  return rank + 1;
}

/** Returns ids in the order of their keys, which are below a number; those of equal keys keep their order. */
function sortByKey(ids: Uint32Array, keys: Uint32Array, count: number): Uint32Array {
  const places = new Uint32Array(count + 1);
  countKeys(ids, keys, places);
  addUp(places);
  const sorted = new Uint32Array(ids.length);
  place(ids, keys, places, sorted);
  return sorted;
}

/** Counts the ids of each key, in the entry after it. The loops are functions, because V8 optimises a function as a whole. */
function countKeys(ids: Uint32Array, keys: Uint32Array, counts: Uint32Array): void {
  for (let i = 0; i < ids.length; i++) {
    const next = (keys[ids[i] ?? 0] ?? 0) + 1;
    counts[next] = (counts[next] ?? 0) + 1;
  }
}

/** Replaces each entry by the sum of all up to it. */
function addUp(counts: Uint32Array): void {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    sum += counts[i] ?? 0;
    counts[i] = sum;
  }
}

/** Puts each id at the place of its key, after those of the same key. */
function place(ids: Uint32Array, keys: Uint32Array, places: Uint32Array, sorted: Uint32Array): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] ?? 0;
    const key = keys[id] ?? 0;
    const at = places[key] ?? 0;
    sorted[at] = id;
    places[key] = at + 1;
  }
}

/** Sorts types of the same keys by their hashes. */
function sortEqual(sorted: Uint32Array, { rank, sortName, ownName }: SortKeys, hashes: TypeHashes): void {
  let first = 0;
  for (let end = 1; end <= sorted.length; end++) {
    const a = sorted[first] ?? 0;
    const b = sorted[end];
    const isEqual =
      b !== undefined && rank[a] === rank[b] && sortName[a] === sortName[b] && ownName[a] === ownName[b];
    if (isEqual) continue;
    if (end > first + 1) hashes.sort(sorted.subarray(first, end));
    first = end;
  }
}

/** Whether a type is printed, or leads to one that may be. */
function isPrinted(kind: number): boolean {
  switch (kind) {
    case Kind.INT:
    case Kind.FLOAT:
    case Kind.FUNC:
    case Kind.VAR:
    case Kind.DATASEC:
    case Kind.DECL_TAG:
      return false;
    default:
      return true;
  }
}

function rankOf(types: TypeWords, id: TypeId, work: WorkLimit): number {
  let hasName = false;
  for (let at = id; at !== 0; work.step(at)) {
    hasName ||= types.name(at) !== 0;
    switch (types.kind(at)) {
      case Kind.ENUM:
      case Kind.ENUM64:
        return hasName ? 1 : 0;
      case Kind.INT:
      case Kind.FLOAT:
        return 2;
      case Kind.STRUCT:
      case Kind.UNION:
        return hasName ? 3 : LAST;
      case Kind.FUNC_PROTO:
        return hasName ? 4 : LAST;
      default:
        break;
    }
    const target = types.target(at);
    if (target === null || !hasName) return LAST;
    at = target;
  }
  return LAST;
}

/** Returns the offset of the name by which a type is sorted: that of the type at the end of its references. */
function sortNameOf(types: TypeWords, id: TypeId, work: WorkLimit): number {
  for (let at = id; at !== 0; work.step(at)) {
    const target = types.target(at);
    if (target === null) {
      const isConstants =
        at === id && types.keyword(at) === 'enum' && types.name(at) === 0 && types.vlen(at) > 0;
      return isConstants ? types.unsignedAt(types.elements(at)) : types.name(at);
    }
    at = target;
  }
  return 0;
}
