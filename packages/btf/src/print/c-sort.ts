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
  for (const id of ids) {
    const [sortName, ownName] = [sortNameOf(types, id, work), types.name(id)];
    places.set(sortName, 0);
    if (ownName !== sortName) places.set(ownName, 0);
    keys.rank[id] = rankOf(types, id, work);
    keys.sortName[id] = sortName;
    keys.ownName[id] = ownName;
  }
  const names = rankNames(places, strings, work);
  for (const id of ids) {
    keys.sortName[id] = places.get(keys.sortName[id] ?? 0) ?? 0;
    keys.ownName[id] = places.get(keys.ownName[id] ?? 0) ?? 0;
  }
  return { keys, names };
}

/** Gives each string offset the rank of its string, and returns the number of ranks. */
function rankNames(ranks: Map<number, number>, strings: StringBytes, work: WorkLimit): number {
  const offsets = Uint32Array.from(ranks.keys()).toSorted((a, b) => strings.compare(a, b, work));
  let rank = 0;
  for (const [i, offset] of offsets.entries()) {
    if (i > 0 && strings.compare(offsets[i - 1] ?? 0, offset, work) !== 0) rank += 1;
    ranks.set(offset, rank);
  }
  return rank + 1;
}

/** Returns ids in the order of their keys, which are below a number; those of equal keys keep their order. */
function sortByKey(ids: Uint32Array, keys: Uint32Array, count: number): Uint32Array {
  const places = new Uint32Array(count + 1);
  for (const id of ids) places[(keys[id] ?? 0) + 1] = (places[(keys[id] ?? 0) + 1] ?? 0) + 1;
  for (let key = 0; key < count; key++) places[key + 1] = (places[key + 1] ?? 0) + (places[key] ?? 0);
  const sorted = new Uint32Array(ids.length);
  for (const id of ids) {
    const place = places[keys[id] ?? 0] ?? 0;
    sorted[place] = id;
    places[keys[id] ?? 0] = place + 1;
  }
  return sorted;
}

/** Sorts types of the same keys by their hashes. */
function sortEqual(sorted: Uint32Array, { rank, sortName, ownName }: SortKeys, hashes: TypeHashes): void {
  let first = 0;
  for (let end = 1; end <= sorted.length; end++) {
    const [a, b] = [sorted[first] ?? 0, sorted[end]];
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
