import { LRUCache } from 'lru-cache';
import { LoadedBtf } from './loaded-btf.js';

/** A LoadedBtf's other fields, and four bytes for each type once it is parsed. */
const OVERHEAD = 1024;

/**
 * BtfCache keeps raw BTF by digest, so that objects with the same bytes are kept once, and remembers the
 * digest of objects by key. A key never comes to mean other bytes: BTF never changes, and ids are not
 * used again before 2^31 others were.
 */
export class BtfCache {
  private readonly byDigest: LRUCache<string, LoadedBtf>;
  private readonly digests = new LRUCache<string, string>({ max: 10_000 });
  private readonly loading = new Map<string, Promise<LoadedBtf>>();

  constructor(maxBytes: number) {
    this.byDigest = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes, typeCount }) => bytes.length + 4 * typeCount + OVERHEAD,
    });
  }

  /** The BTF with a key, read if it isn't here. Readers of one key share one reading. */
  async get(key: string, read: () => Promise<Uint8Array> | Uint8Array): Promise<LoadedBtf> {
    const digest = this.digests.get(key);
    const cached = digest === undefined ? undefined : this.byDigest.get(digest);
    if (cached !== undefined) return cached;
    return this.loading.get(key) ?? this.load(key, read);
  }

  /** The BTF that is read now; where the cache has the same bytes, the cache's. */
  async getFresh(read: () => Promise<Uint8Array> | Uint8Array): Promise<LoadedBtf> {
    const loaded = await LoadedBtf.of(new Uint8Array(await read()));
    const digest = hex(loaded.digest);
    const same = this.byDigest.get(digest) ?? loaded;
    this.byDigest.set(digest, same);
    return same;
  }

  private load(key: string, read: () => Promise<Uint8Array> | Uint8Array): Promise<LoadedBtf> {
    const loading = this.readAndKeep(key, read).finally(() => this.loading.delete(key));
    this.loading.set(key, loading);
    return loading;
  }

  private async readAndKeep(key: string, read: () => Promise<Uint8Array> | Uint8Array): Promise<LoadedBtf> {
    const loaded = await this.getFresh(read);
    this.digests.set(key, hex(loaded.digest));
    return loaded;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
