/**
 * HASH_SEED makes hashes differ from run to run, so that nobody can make BTF whose types or names collide. No result
 * depends on it: a hash only selects what to compare.
 */
export const HASH_SEED = Math.trunc(Math.random() * 2 ** 32) | 1;

/** mixHash adds a word to a hash of 32 bits. The order of the words matters. */
export function mixHash(hash: number, word: number): number {
  const mixed = Math.imul(hash, 0x9e3779b1) ^ word;
  const spread = Math.imul(mixed ^ (mixed >>> 16), HASH_SEED);
  return spread ^ (spread >>> 13);
}
