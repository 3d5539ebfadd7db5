import { expect, test } from '@jest/globals';
import { findByName } from './name-search.js';
import { StringTable } from './strings.js';
import { wordsOf } from './words.js';

class CountingStrings extends StringTable {
  compared = 0;

  override equals(offset: number, name: Uint8Array): boolean {
    this.compared += 1;
    return super.equals(offset, name);
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

test('a long string that many types share is compared once, so that hostile names stay cheap', () => {
  const long = 'x'.repeat(5000);
  const strings = new CountingStrings(bytes(`\0${long}\0${long}y\0x${long}\0`), null, 16384);
  const other = 1 + 5001 + 5002;
  const nameOffsets = globalThis.Array.from({ length: 300 }, (_, i) => [1, other, other + 1][i % 3] ?? 0);
  const words = wordsOf(new Uint8Array(Uint32Array.from(nameOffsets).buffer), 'little');
  const offsets = Uint32Array.from(nameOffsets, (_, i) => i * 4);
  const found: number[] = [];
  findByName(words, offsets, strings, bytes(long), (index) => found.push(index));
  expect(found).toEqual(nameOffsets.flatMap((offset, i) => (offset === other ? [] : [i])));
  expect(strings.compared).toBe(2);
});
