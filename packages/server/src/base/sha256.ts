import { createHash } from 'node:crypto';
import { eachSlice } from './byte-slices.js';

/**
 * sha256 is the SHA-256 of bytes, made slice by slice: Web Crypto would hash on another thread, but copies the bytes
 * before that in one go, which takes longer. Each slice that was hashed is given to `also`.
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
