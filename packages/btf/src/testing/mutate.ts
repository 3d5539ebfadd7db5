import type { Random } from 'test-tools/random';

/** Words that have broken parsers of binary formats. */
const EVIL = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 0x00ffffff, 0x0400ffff, 0x14000000];

/** mutate changes one to four places of a copy: bits, bytes, words, order, length. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let mutant: Uint8Array = bytes.slice();
  for (let count = 1 + random(4); count > 0; count--) mutant = mutateOnce(mutant, random);
  return mutant;
}

function mutateOnce(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < 8) return bytes;
  const at = random(bytes.length);
  // Headers are small and decide much: one change in four is made there.
  const place = random(4) === 0 ? random(Math.min(32, bytes.length)) : at;
  const view = new DataView(bytes.buffer);
  switch (random(8)) {
    case 0:
    case 1:
      bytes[place] = (bytes[place] ?? 0) ^ (1 << random(8));
      return bytes;
    case 2:
      bytes[place] = random(256);
      return bytes;
    case 3:
    case 4:
      view.setUint32(
        Math.min(place & ~3, (bytes.length & ~3) - 4),
        EVIL[random(EVIL.length)] ?? 0,
        random(2) === 0,
      );
      return bytes;
    case 5:
      return bytes.copyWithin(at, random(bytes.length), random(bytes.length));
    case 6:
      // References to strings and types are small numbers: these are likely to be in range.
      view.setUint32(Math.min(place & ~3, (bytes.length & ~3) - 4), random(64), random(2) === 0);
      return bytes;
    default:
      return random(8) === 0 ? bytes.slice(0, at) : bytes;
  }
}
