import type { StringPool } from './string-pool.js';

/** StringLayout is a string section and where in it the strings of a pool are. */
export interface StringLayout {
  readonly bytes: Uint8Array;
  /** Offsets by number of string; only those of the strings asked for mean something. */
  readonly offsets: Int32Array;
}

/** StringLayoutOptions are the choices for a string section. */
export interface StringLayoutOptions {
  /** Whether a string that another one ends with lies in that one. */
  readonly shareSuffixes: boolean;
  /** Offsets of strings that the base of a split BTF has; null for BTF that stands alone. */
  readonly base: BaseStrings | null;
}

/** BaseStrings are the strings of a base, which split BTF uses. */
export interface BaseStrings {
  /** Where the base's strings end: the offset of the first own one. */
  readonly end: number;
  /** Offsets by number of string. */
  readonly offsets: ReadonlyMap<number, number>;
}

/**
 * layoutStrings puts strings into a section, each once, in the order given.
 *
 * @param used numbers of strings, each once, without the empty one, which is always there.
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
  // The empty string comes first; split BTF has it in its base.
  let end = base === null ? 1 : start;
  for (const id of own) {
    if (holders !== null && (holders[id] ?? 0) !== 0) continue;
    offsets[id] = end;
    end += pool.lengthOf(id) + 1;
  }
  const bytes = new Uint8Array(end - start);
  for (const id of own) {
    const holder = holders === null ? 0 : holderOf(holders, id);
    if (holder === 0) bytes.set(pool.bytesOf(id), (offsets[id] ?? 0) - start);
    else offsets[id] = (offsets[holder] ?? 0) + pool.lengthOf(holder) - pool.lengthOf(id);
  }
  return { bytes, offsets };
}

/** For each string one that ends with it; 0 where there is none. */
function findHolders(pool: StringPool, used: readonly number[]): Int32Array {
  const holders = new Int32Array(pool.count);
  for (const id of used) {
    pool.visitSuffixes(id, (suffix) => {
      if (holders[suffix] === 0) holders[suffix] = id;
    });
  }
  return holders;
}

/** The string that is in no other and ends with this one: holders grow longer, so that this ends. */
function holderOf(holders: Int32Array, id: number): number {
  let holder = 0;
  for (let next = holders[id] ?? 0; next !== 0; next = holders[next] ?? 0) holder = next;
  return holder;
}
