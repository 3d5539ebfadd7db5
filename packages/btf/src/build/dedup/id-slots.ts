import type { TypeId } from '../../types.js';

// Slots are a table of ids by hash, with open addressing: 0 is free. It grows with the ids in it, of which there are far
// fewer than types, and a small table stays in the cache.

/** newSlots returns slots without ids. Their number is a power of 2. */
export function newSlots(): Int32Array {
  return new Int32Array(1024);
}

/**
 * withFreeSlots returns the slots, or twice as many with the same ids if more than half of them are in use.
 *
 * @param count the number of ids.
 * @param hashes the hash of each id.
 */
export function withFreeSlots(slots: Int32Array, count: number, hashes: Int32Array): Int32Array {
  if (count * 2 <= slots.length) return slots;
  const more = new Int32Array(slots.length * 2);
  for (const id of slots) if (id !== 0) insert(more, id, hashes[id] ?? 0);
  return more;
}

function insert(slots: Int32Array, id: TypeId, hash: number): void {
  const mask = slots.length - 1;
  let at = hash & mask;
  while (slots[at] !== 0) at = (at + 1) & mask;
  slots[at] = id;
}
