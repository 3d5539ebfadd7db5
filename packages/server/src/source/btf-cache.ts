import { LRUCache } from 'lru-cache';
import { inSpan } from '../base/span.js';
import { LoadedBtf } from './loaded-btf.js';
import { sha256 } from '../base/slices.js';

/** CacheStats are the contents of the cache and how often it had the requested BTF. */
export interface CacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
}

/** More than the other fields of a LoadedBtf take. */
const OVERHEAD = 1024;

/**
 * BtfCache keeps raw BTF by digest, so that equal bytes are kept once, and the digests of objects by key. The bytes of a
 * key never change: BTF never changes, and the kernel does not use an id again before 2^31 others.
 */
export class BtfCache {
  readonly #byDigest: LRUCache<string, LoadedBtf>;
  readonly #digests = new LRUCache<string, string>({ max: 10_000 });
  /** BTF that is in use, even if the cache has no room for it, so that streams that wait for readers share it. */
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

  /** Returns the BTF of a key, and reads it if the cache does not have it. Calls for one key share one read. */
  async get(key: string, read: () => Promise<Uint8Array> | Uint8Array): Promise<LoadedBtf> {
    const kept = this.kept(key);
    if (kept !== null) return kept;
    const loading = this.#loading.get(key);
    if (loading === undefined) return this.#load(key, read);
    this.#hits += 1;
    return loading;
  }

  /** Returns the BTF of a key if the cache has it, and it is wanted; otherwise null. Only BTF that it returns counts as a hit. */
  kept(key: string, isWanted: (btf: LoadedBtf) => boolean = () => true): LoadedBtf | null {
    const digest = this.#digests.get(key);
    const kept = digest === undefined ? undefined : this.#known(digest);
    if (kept === undefined || !isWanted(kept)) return null;
    this.#hits += 1;
    return kept;
  }

  /** Reads BTF now. Returns the cache's copy if it has the same bytes. */
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

  /** Looks up a digest, and keeps its BTF again if the cache dropped it while it is still in use. */
  #known(digest: string): LoadedBtf | undefined {
    const kept = this.#byDigest.get(digest);
    if (kept !== undefined) return kept;
    const used = this.#inUse.get(digest)?.deref();
    if (used !== undefined) this.#byDigest.set(digest, used);
    return used;
  }

  /**
   * Returns the SHA-256 of the BTF of a key, and reads the BTF if its digest is not known. It does not keep the BTF: the
   * digests of many objects would displace BTF that is in use. Calls for one key share one read.
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
