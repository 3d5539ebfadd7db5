import { LRUCache } from 'lru-cache';
import { inSpan } from '../base/span.js';
import { LoadedBtf } from './loaded-btf.js';
import { sha256 } from '../base/slices.js';

/** CacheStats are what the cache holds, and how often it had what was asked for. */
export interface CacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
}

/** A LoadedBtf's other fields. */
const OVERHEAD = 1024;

/**
 * BtfCache keeps raw BTF by digest, so that objects with the same bytes are kept once, and remembers the
 * digest of objects by key. A key never comes to mean other bytes: BTF never changes, and ids are not
 * used again before 2^31 others were.
 */
export class BtfCache {
  readonly #byDigest: LRUCache<string, LoadedBtf>;
  readonly #digests = new LRUCache<string, string>({ max: 10_000 });
  /** What is in use, whether there is room to keep it or not: streams that wait for readers share it. */
  readonly #inUse = new Map<string, WeakRef<LoadedBtf>>();
  readonly #collected = new FinalizationRegistry<string>((digest) => {
    if (this.#inUse.get(digest)?.deref() === undefined) this.#inUse.delete(digest);
  });
  readonly #loading = new Map<string, Promise<LoadedBtf>>();
  readonly #digesting = new Map<string, Promise<Uint8Array>>();
  #hits = 0;
  #misses = 0;

  constructor(maxBytes: number) {
    this.#byDigest = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }) => bytes.length + OVERHEAD,
    });
  }

  get stats(): CacheStats {
    const { size, calculatedSize } = this.#byDigest;
    return { hits: this.#hits, misses: this.#misses, entries: size, bytes: calculatedSize };
  }

  /** The BTF with a key, read if it isn't here. Readers of one key share one reading. */
  async get(key: string, read: () => Promise<Uint8Array> | Uint8Array): Promise<LoadedBtf> {
    const digest = this.#digests.get(key);
    const cached = digest === undefined ? undefined : this.#known(digest);
    const found = cached ?? this.#loading.get(key);
    if (found === undefined) return this.#load(key, read);
    this.#hits += 1;
    return found;
  }

  /** The BTF that is read now; where the cache has the same bytes, the cache's. */
  async getFresh(read: () => Promise<Uint8Array> | Uint8Array): Promise<LoadedBtf> {
    this.#misses += 1;
    const loaded = await LoadedBtf.of(await inSpan('read BTF', async () => read()));
    const { digest } = loaded.shared;
    const same = this.#known(digest);
    if (same !== undefined) return same;
    this.#byDigest.set(digest, loaded);
    this.#inUse.set(digest, new WeakRef(loaded));
    this.#collected.register(loaded, digest);
    return loaded;
  }

  /** What was asked for last is kept, also where it was dropped and is still in use. */
  #known(digest: string): LoadedBtf | undefined {
    const kept = this.#byDigest.get(digest);
    if (kept !== undefined) return kept;
    const used = this.#inUse.get(digest)?.deref();
    if (used !== undefined) this.#byDigest.set(digest, used);
    return used;
  }

  /**
   * The SHA-256 of the BTF with a key, which is read only if its digest isn't known. It isn't kept: the
   * digests of many would drive out what is in use. Who asks for one key shares one reading.
   */
  async digest(key: string, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#digests.get(key);
    if (known !== undefined) return new Uint8Array(Buffer.from(known, 'hex'));
    return this.#digesting.get(key) ?? this.#startDigest(key, read);
  }

  #startDigest(key: string, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const digesting = this.#readDigest(key, read).finally(() => this.#digesting.delete(key));
    this.#digesting.set(key, digesting);
    return digesting;
  }

  async #readDigest(key: string, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const digest = await sha256(await read());
    this.#digests.set(key, hex(digest));
    return digest;
  }

  #load(key: string, read: () => Promise<Uint8Array> | Uint8Array): Promise<LoadedBtf> {
    const loading = this.#readAndKeep(key, read).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  async #readAndKeep(key: string, read: () => Promise<Uint8Array> | Uint8Array): Promise<LoadedBtf> {
    const loaded = await this.getFresh(read);
    this.#digests.set(key, loaded.shared.digest);
    return loaded;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
