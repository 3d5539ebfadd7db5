/** Bytes of a string that decide its hash: types may share one endless name, which must not cost its length for each. */
const HASHED = 64;

/**
 * hashText hashes the string that starts at an index and ends before a NUL or with the bytes (FNV-1a).
 *
 * @returns 0 for the empty string and for no other.
 */
export function hashText(bytes: Uint8Array, from: number): number {
  const last = from + HASHED;
  let hash = 0x811c9dc5;
  let at = from;
  for (; at < last; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  if (at === from) return 0;
  // The low bits, which choose a bucket, get their share of the high ones.
  return hash ^ (hash >>> 15) || 1;
}
