/**
 * HASH_SEED makes hashes differ from run to run, so that no BTF can be made whose types or names collide. No
 * result depends on it: a hash only ever chooses what is compared.
 */
export const HASH_SEED = Math.trunc(Math.random() * 2 ** 32) | 1;

/** mixHash adds a word to a hash of 32 bits; the order in which words are added counts. */
export function mixHash(hash: number, word: number): number {
  const mixed = Math.imul(hash, 0x9e3779b1) ^ word;
  const spread = Math.imul(mixed ^ (mixed >>> 16), HASH_SEED);
  return spread ^ (spread >>> 13);
}
