import { LRUCache } from 'lru-cache';
import type { ItemOf, ResolveJob, SpecJob } from './job.js';

/** KeptJob is a job whose items follow from its fields alone: BTF never changes, and its digest names it. */
export type KeptJob = SpecJob | ResolveJob;

/** One response may take this part of the memory for all. */
const PART = 1 / 2;
/** The memory of an entry in addition to its bytes. */
const OVERHEAD = 512;
/** Names, globs, kinds and ids of a selection, or paths. Programs ask for fewer, and reading more takes long. */
const MAX_PARTS = 64;
/** A smaller response may stay in memory while it is read: each stream may buffer as much, two chunks. */
const LARGE = 512 * 1024;
/** Characters of a key. */
const MAX_KEY = 8 * 1024;

interface Kept {
  readonly items: readonly ItemOf[KeptJob['name']][];
  readonly bytes: number;
}

/**
 * KeptResponses keeps the items of jobs, so that a request that was served before takes no decoding. Programs ask for the
 * same members and types whenever they start, and fleets of them ask the same of one kernel.
 */
export class KeptResponses {
  readonly #maxBytes: number;
  readonly #kept: LRUCache<string, Kept> | null;
  /** Bytes of responses that are not complete: clients may read them slowly. */
  #incomplete = 0;
  /** The large responses that are being read, also after their eviction, with the number of their readers. */
  readonly #readers = new Map<Kept, number>();

  /**
   * @param maxBytes - the memory for all responses; 0 to keep none. Incomplete ones may take as much again, and so may large
   * ones that slow clients read.
   */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#kept =
      maxBytes === 0
        ? null
        : new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ bytes }, key) => sizeOf(bytes, key) });
  }

  /** get returns the items of a job if they are kept; otherwise null. */
  get<J extends KeptJob>(job: J): readonly ItemOf[J['name']][] | null;
  get(job: KeptJob): Kept['items'] | null {
    return this.#find(job)?.items ?? null;
  }

  /**
   * reading returns the items of a job, for a reader who may be slow. Returns null if they are not kept, and for a large
   * response while others that are being read take all memory for them.
   */
  reading<J extends KeptJob>(job: J): Iterable<ItemOf[J['name']]> | null;
  reading(job: KeptJob): Iterable<Kept['items'][number]> | null {
    const kept = this.#find(job);
    if (kept === null || kept.bytes <= LARGE) return kept?.items ?? null;
    let bytes = this.#readers.has(kept) ? 0 : kept.bytes;
    for (const other of this.#readers.keys()) bytes += other.bytes;
    return bytes > this.#maxBytes ? null : this.#read(kept);
  }

  *#read(kept: Kept): Generator<Kept['items'][number], void, void> {
    this.#readers.set(kept, (this.#readers.get(kept) ?? 0) + 1);
    try {
      yield* kept.items;
    } finally {
      const left = (this.#readers.get(kept) ?? 0) - 1;
      if (left > 0) this.#readers.set(kept, left);
      else this.#readers.delete(kept);
    }
  }

  #find(job: KeptJob): Kept | null {
    const key = this.#kept === null ? null : keyOf(job);
    return key === null ? null : (this.#kept?.get(key) ?? null);
  }

  /** keep keeps the items of a job, unless they are too large. They must not change any more. */
  keep<J extends KeptJob>(job: J, items: readonly ItemOf[J['name']][]): void {
    const bytes = items.reduce((sum, item) => sum + bytesOf(item), 0);
    const key = this.#kept === null ? null : keyOf(job);
    if (key !== null && sizeOf(bytes, key) <= PART * this.#maxBytes) this.#kept?.set(key, { items, bytes });
  }

  /** keeping passes the items of a job on, and keeps them when they are complete. */
  async *keeping<J extends KeptJob>(
    job: J,
    made: Iterable<ItemOf[J['name']]> | AsyncIterable<ItemOf[J['name']]>,
  ): AsyncGenerator<ItemOf[J['name']], void, void> {
    let items: ItemOf[J['name']][] | null = [];
    let bytes = 0;
    const drop = (): void => {
      items = null;
      this.#incomplete -= bytes;
      bytes = 0;
    };
    try {
      for await (const item of made) {
        if (items !== null) {
          items.push(item);
          bytes += bytesOf(item);
          this.#incomplete += bytesOf(item);
          if (bytes > PART * this.#maxBytes || this.#incomplete > this.#maxBytes) drop();
        }
        yield item;
      }
      if (items !== null) this.keep(job, items);
    } finally {
      drop();
    }
  }
}

function sizeOf(bytes: number, key: string): number {
  return OVERHEAD + bytes + 2 * key.length;
}

/** Returns the bytes of an item. The result of a selection has no more than the key. */
function bytesOf(item: ItemOf[KeptJob['name']]): number {
  if (item instanceof Uint8Array) return item.length;
  return item.case === 'message' ? item.value.length : 0;
}

/** Returns the text that is equal for jobs with equal items; null if it would be too long. */
function keyOf(job: KeptJob): string | null {
  const { name, btf, base } = job;
  const asked = job.name === 'resolve' ? job.paths : partsOf(job);
  if (asked === null || asked.length > MAX_PARTS) return null;
  const key = JSON.stringify([name, btf.digest, base?.digest ?? '', ...asked]);
  return key.length > MAX_KEY ? null : key;
}

function partsOf({ encoding, selection, cFormat }: SpecJob): readonly unknown[] | null {
  if (selection === null) return [encoding, cFormat];
  const { names, nameGlobs, kinds, ids, closure } = selection;
  if (names.length + nameGlobs.length + kinds.length + ids.length > MAX_PARTS) return null;
  return [encoding, cFormat, names, nameGlobs, kinds, ids, closure];
}
