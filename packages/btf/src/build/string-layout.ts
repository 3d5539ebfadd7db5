import { parseHeader } from '../header.js';
import type { Spec } from '../spec.js';
import type { StringPool } from './string-pool.js';

/** StringLayout is a string section with the places of a pool's strings. */
export interface StringLayout {
  readonly bytes: Uint8Array;
  /** Offsets by number of string. Only those of the given strings are valid. */
  readonly offsets: Int32Array;
}

/** StringLayoutOptions are the options of {@link layoutStrings}. */
export interface StringLayoutOptions {
  /** Whether a string is stored inside another one that ends with it. */
  readonly shareSuffixes: boolean;
  /** The strings of the base of split BTF; null for BTF that stands alone. */
  readonly base: BaseStrings | null;
}

/** BaseStrings are the strings of a base that split BTF uses. */
export interface BaseStrings {
  /** The end of the base's strings, which is the offset of the first own string. */
  readonly end: number;
  /** Offsets by number of string. */
  readonly offsets: ReadonlyMap<number, number>;
}

/**
 * layoutStrings puts strings into a section, each once, in the given order.
 *
 * @param used numbers of strings, each once, without the empty one, which is always in the section.
 */
export function layoutStrings(
  pool: StringPool,
  used: readonly number[],
  { shareSuffixes, base }: StringLayoutOptions,
): StringLayout {
  const offsets = new Int32Array(pool.count);
  const own = base === null ? used : used.filter((id) => !base.offsets.has(id));
  if (base !== null) for (const [id, offset] of base.offsets) offsets[id] = offset;
  const holders = shareSuffixes ? findHolders(pool, own) : null;
  const start = base === null ? 0 : base.end;
  // The empty string comes first. Split BTF has it in its base.
  let end = base === null ? 1 : start;
  const stored = holders === null ? own : own.filter((id) => holders[id] === 0);
  for (const id of stored) {
    offsets[id] = end;
    end += pool.lengthOf(id) + 1;
  }
  const bytes = new Uint8Array(end - start);
  // Strings that follow each other in the pool, as all of them often do, are copied together.
  for (let i = 0; i < stored.length;) {
    const first = stored[i] ?? 0;
    let next = first;
    for (; stored[i] === next; i++) next += 1;
    pool.copyRow(first, next, bytes, (offsets[first] ?? 0) - start);
  }
  if (holders !== null) placeSuffixes(pool, own, holders, offsets);
  return { bytes, offsets };
}

/** Sets the offsets of strings inside others, whose offsets are set. */
function placeSuffixes(
  pool: StringPool,
  used: readonly number[],
  holders: Int32Array,
  offsets: Int32Array,
): void {
  for (const id of used) {
    const holder = holderOf(holders, id);
    if (holder !== 0) offsets[id] = (offsets[holder] ?? 0) + pool.lengthOf(holder) - pool.lengthOf(id);
  }
}

/** For each string another one that ends with it; 0 if there is none. */
function findHolders(pool: StringPool, used: readonly number[]): Int32Array {
  const holders = new Int32Array(pool.count);
  for (const id of used) {
    pool.visitSuffixes(id, (suffix) => {
      if (holders[suffix] === 0) holders[suffix] = id;
    });
  }
  return holders;
}

/** The string that ends with this one and is not inside another. Holders grow longer, so the loop ends. */
function holderOf(holders: Int32Array, id: number): number {
  let holder = 0;
  for (let next = holders[id] ?? 0; next !== 0; next = holders[next] ?? 0) holder = next;
  return holder;
}

/**
 * sharedStrings finds the strings of a pool in the string sections of a base and of its bases, for BTF that is split from
 * it. As in libbpf, only whole strings count, and the first place of each.
 */
export function sharedStrings(base: Spec, pool: StringPool): BaseStrings {
  const levels: Spec[] = [];
  for (let level: Spec | null = base; level !== null; level = level.base) levels.unshift(level);
  const offsets = new Map<number, number>();
  let end = 0;
  for (const { bytes } of levels) {
    const { offset, length } = parseHeader(bytes).strings;
    const section = bytes.subarray(offset, offset + length);
    // The section ends in NUL.
    for (let from = 0, to = 0; from < length; from = to + 1) {
      to = section.indexOf(0, from);
      const number = pool.find(section, from, to);
      if (number > 0 && !offsets.has(number)) offsets.set(number, end + from);
    }
    end += length;
  }
  return { end, offsets };
}
