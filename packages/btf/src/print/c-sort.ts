import { Kind, type TypeId } from '../types.js';
import type { StringBytes } from './string-bytes.js';
import { TypeHashes } from './type-hashes.js';
import type { TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/** The rank of types that are printed where they are used. */
const LAST = 10;

/**
 * sortForC returns the ids of the types that C can print, in the order of bpftool 7.8: enums first, then structs and
 * unions, by name. So the headers of two similar kernels have few differences.
 */
export function sortForC(types: TypeWords, strings: StringBytes, work: WorkLimit): Uint32Array {
  const names = new SortNames(types, strings, work);
  const ids: TypeId[] = [];
  for (let id = 1; id < types.endTypeId; id++) if (isPrinted(types.kind(id))) ids.push(id);
  const sortNames = ids.map((id) => names.of(id));
  const ranks = names.ranks();
  const keys = new Float64Array(types.endTypeId);
  for (const [i, id] of ids.entries()) {
    const name = rankOf(types, id, work) * ranks.size + (ranks.get(sortNames[i] ?? '') ?? 0);
    keys[id] = name * ranks.size + (ranks.get(names.at(types.name(id))) ?? 0);
  }
  const sorted = Uint32Array.from(ids).toSorted((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
  sortEqual(sorted, keys, new TypeHashes(types, strings, work));
  return sorted;
}

/** Sorts types of the same rank and names by their hashes. */
function sortEqual(sorted: Uint32Array, keys: Float64Array, hashes: TypeHashes): void {
  let first = 0;
  for (let end = 1; end <= sorted.length; end++) {
    if (end < sorted.length && keys[sorted[end] ?? 0] === keys[sorted[first] ?? 0]) continue;
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
      case Kind.ARRAY:
        at = types.unsignedAt(types.elements(at));
        break;
      case Kind.TYPE_TAG:
      case Kind.CONST:
      case Kind.PTR:
      case Kind.VOLATILE:
      case Kind.RESTRICT:
      case Kind.TYPEDEF:
        at = types.third(at);
        break;
      default:
        return LAST;
    }
    if (!hasName) return LAST;
  }
  return LAST;
}

/** SortNames finds the name by which a type is sorted: that of the type at the end of its references. */
class SortNames {
  readonly #types: TypeWords;
  readonly #strings: StringBytes;
  readonly #work: WorkLimit;
  readonly #texts = new Map<number, string>([[0, '']]);

  constructor(types: TypeWords, strings: StringBytes, work: WorkLimit) {
    this.#types = types;
    this.#strings = strings;
    this.#work = work;
  }

  /** at returns the string at an offset. */
  at(offset: number): string {
    let text = this.#texts.get(offset);
    if (text === undefined) {
      text = this.#strings.text(offset);
      this.#texts.set(offset, text);
    }
    return text;
  }

  /** ranks returns the place of each string that was read, in the order of their bytes. */
  ranks(): ReadonlyMap<string, number> {
    const ranks = new Map<string, number>();
    for (const text of [...new Set(this.#texts.values())].toSorted(compare)) ranks.set(text, ranks.size);
    return ranks;
  }

  /** of returns the name by which a type is sorted, and reads its own. */
  of(id: TypeId): string {
    this.at(this.#types.name(id));
    return this.#find(id);
  }

  #find(id: TypeId): string {
    const types = this.#types;
    for (let at = id; ; this.#work.step(at)) {
      if (at === 0) return '';
      switch (types.kind(at)) {
        case Kind.ENUM:
        case Kind.ENUM64: {
          const isConstants = at === id && types.name(at) === 0 && types.vlen(at) > 0;
          return this.at(isConstants ? types.unsignedAt(types.elements(at)) : types.name(at));
        }
        case Kind.ARRAY:
          at = types.unsignedAt(types.elements(at));
          break;
        case Kind.TYPE_TAG:
        case Kind.CONST:
        case Kind.PTR:
        case Kind.VOLATILE:
        case Kind.RESTRICT:
        case Kind.TYPEDEF:
          at = types.third(at);
          break;
        default:
          return this.at(types.name(at));
      }
    }
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
