import { describe, expect, test } from '@jest/globals';
import { BtfFormatError } from '@btfd/btf';
import { intBtf } from '../testing/btf-bytes.js';
import { withResolvers } from '../testing/grpc-harness.js';
import { BtfCache } from './btf-cache.js';

const MIB = 1024 * 1024;

/** A reader that counts, and waits for a gate if there is one. */
function reader(bytes: Uint8Array, gate: Promise<void> = Promise.resolve()) {
  const state = { reads: 0 };
  const read = async (): Promise<Uint8Array> => {
    state.reads += 1;
    await gate;
    return bytes.slice();
  };
  return { state, read };
}

describe('The cache', () => {
  test('returns bytes, digest, byte order, number of types and whether it is split', async () => {
    const btf = await new BtfCache(MIB).get('a', () => intBtf());
    const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', intBtf().slice().buffer));
    expect(btf).toMatchObject({
      bytes: intBtf(),
      digest: sha256,
      byteOrder: 'little',
      split: false,
    });
    expect(btf.survey(null)).toEqual({ typeCount: 1, notes: [] });
    expect(Buffer.isBuffer(btf.bytes)).toBe(false);
  });

  test('copies bytes into shared memory, unless they are there', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(intBtf().length));
    shared.set(intBtf());
    const cache = new BtfCache(MIB);
    expect((await cache.get('a', () => shared)).bytes).toBe(shared);
    expect((await cache.get('b', () => intBtf('other'))).bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('reads a key once', async () => {
    const cache = new BtfCache(MIB);
    const { state, read } = reader(intBtf());
    expect(await cache.get('a', read)).toBe(await cache.get('a', read));
    expect(state.reads).toBe(1);
  });

  test('reads a key once for simultaneous callers', async () => {
    const cache = new BtfCache(MIB);
    const gate = withResolvers();
    const { state, read } = reader(intBtf(), gate.promise);
    const all = Promise.all([cache.get('a', read), cache.get('a', read), cache.get('a', read)]);
    gate.resolve();
    expect(new Set(await all).size).toBe(1);
    expect(state.reads).toBe(1);
  });

  test('keeps equal bytes once, also of different keys and of getFresh', async () => {
    const cache = new BtfCache(MIB);
    const first = await cache.get('a', () => intBtf());
    expect(await cache.get('b', () => intBtf())).toBe(first);
    expect(await cache.getFresh(() => intBtf())).toBe(first);
    expect(await cache.get('c', () => intBtf('other'))).not.toBe(first);
  });

  test('returns BTF that is in use without reading it again, even if it has no room for it', async () => {
    const cache = new BtfCache(1);
    const { state, read } = reader(intBtf());
    const first = await cache.get('a', read);
    expect(cache.stats.entries).toBe(0);
    expect(await cache.get('a', read)).toBe(first);
    expect(state.reads).toBe(1);
    expect(await cache.getFresh(read)).toBe(first);
  });

  test('getFresh reads each time, because the BTF may have changed', async () => {
    const cache = new BtfCache(MIB);
    const { state, read } = reader(intBtf());
    await cache.getFresh(read);
    await cache.getFresh(read);
    expect(state.reads).toBe(2);
    expect((await cache.getFresh(() => intBtf('new'))).bytes).toEqual(intBtf('new'));
  });

  test.each<[string, () => Promise<Uint8Array>, unknown]>([
    [
      'could not be read',
      () => Promise.reject(new Error('EIO')),
      expect.objectContaining({ message: 'EIO' }),
    ],
    ['is not BTF', () => Promise.resolve(new Uint8Array(100)), expect.any(BtfFormatError)],
  ])('does not remember BTF that %s', async (_, read, error) => {
    const cache = new BtfCache(MIB);
    const both = [cache.get('a', read), cache.get('a', read)];
    for (const failed of both) await expect(failed).rejects.toEqual(error);
    const { state, read: again } = reader(intBtf());
    expect((await cache.get('a', again)).survey(null).typeCount).toBe(1);
    expect(state.reads).toBe(1);
  });

  test('forgets the least recently used BTF when it has too many bytes', async () => {
    const big = (name: string, size: number): Uint8Array => intBtf(name + 'x'.repeat(size));
    const cache = new BtfCache(250_000);
    const [a, b, c] = [reader(big('a', 100_000)), reader(big('b', 80_000)), reader(big('c', 100_000))];
    await cache.get('a', a.read);
    await cache.get('b', b.read);
    await cache.get('a', a.read);
    await cache.get('c', c.read);
    expect([a.state.reads, b.state.reads, c.state.reads]).toEqual([1, 1, 1]);
    // The two larger ones.
    expect(cache.stats.entries).toBe(2);
    expect(cache.stats.bytes).toBeGreaterThan(200_000);
  });

  test('returns BTF that is larger than the cache, without keeping it', async () => {
    const cache = new BtfCache(10);
    expect((await cache.get('a', () => intBtf())).survey(null).typeCount).toBe(1);
    expect(cache.stats).toMatchObject({ entries: 0, bytes: 0 });
  });
});

describe('The digest of BTF', () => {
  test('is its SHA-256; the BTF is read once for it and not kept', async () => {
    const cache = new BtfCache(MIB);
    const gate = withResolvers();
    const { state, read } = reader(intBtf(), gate.promise);
    const both = Promise.all([cache.digest('a', read), cache.digest('a', read)]);
    gate.resolve();
    const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', intBtf().slice().buffer));
    expect([...(await both), await cache.digest('a', read)]).toEqual([sha256, sha256, sha256]);
    expect(state.reads).toBe(1);
    await cache.get('a', read);
    expect(state.reads).toBe(2);
  });

  test('is known once its BTF was read', async () => {
    const cache = new BtfCache(MIB);
    const { digest } = await cache.get('a', () => intBtf());
    const { state, read } = reader(intBtf('other'));
    expect(await cache.digest('a', read)).toEqual(digest);
    expect(state.reads).toBe(0);
  });

  test('is read again if reading failed', async () => {
    const cache = new BtfCache(MIB);
    await expect(cache.digest('a', () => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
    const { state, read } = reader(intBtf());
    await cache.digest('a', read);
    expect(state.reads).toBe(1);
  });
});

test('Workers share the bytes that are kept', async () => {
  const btf = await new BtfCache(MIB).get('a', () => intBtf());
  expect(btf.shared).toEqual({ digest: Buffer.from(btf.digest).toString('hex'), bytes: btf.bytes });
  expect(btf.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect([...btf.bytes]).toEqual([...intBtf()]);
});
