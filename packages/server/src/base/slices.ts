import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from './clock.js';

/** How long work may hold the event loop at a time. The last step may exceed it. */
const SLICE_MS = 2;
/** Hashing or copying this much takes less than a millisecond. */
const SLICE_BYTES = 512 * 1024;

/** inSlices does work step by step, lets the event loop run every 2 ms, and returns the result. */
export async function inSlices<T>(work: Iterator<void, T, void>, clock: Clock): Promise<T> {
  for (;;) {
    const end = clock.now() + SLICE_MS;
    do {
      const step = work.next();
      if (step.done === true) return step.value;
    } while (clock.now() < end);
    await setImmediate();
  }
}

/** eachSlice passes bytes to a function slice by slice, and lets the event loop run between slices. */
export async function eachSlice(
  bytes: Uint8Array,
  act: (slice: Uint8Array, at: number) => void,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    if (at > 0) await setImmediate();
    act(bytes.subarray(at, at + SLICE_BYTES), at);
  }
}

/** copyBytes copies bytes slice by slice. The bytes must not change meanwhile. */
export async function copyBytes(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length);
  await eachSlice(bytes, (slice, at) => copy.set(slice, at));
  return copy;
}

/**
 * sha256 returns the SHA-256 of bytes, hashed slice by slice. Web Crypto would hash on another thread, but it copies all
 * bytes at once first, which takes longer.
 *
 * @param also receives each slice after it is hashed.
 */
export async function sha256(
  bytes: Uint8Array,
  also: (slice: Uint8Array, at: number) => void = () => {},
): Promise<Uint8Array> {
  const hash = createHash('sha256');
  await eachSlice(bytes, (slice, at) => {
    hash.update(slice);
    also(slice, at);
  });
  return new Uint8Array(hash.digest());
}

/** rawChunks cuts bytes into views of at most `chunkBytes`. */
export function* rawChunks(bytes: Uint8Array, chunkBytes: number): Generator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}
