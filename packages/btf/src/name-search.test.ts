import { expect, test } from '@jest/globals';
import { NameSearch } from './name-search.js';
import { StringTable } from './strings.js';
import { wordsOf } from './words.js';

class CountingStrings extends StringTable {
  compared = 0;
  looked = 0;
  hashed = 0;

  override equals(offset: number, name: Uint8Array): boolean {
    this.compared += 1;
    return super.equals(offset, name);
  }

  override mayEqual(offset: number, name: Uint8Array): boolean {
    this.looked += 1;
    return super.mayEqual(offset, name);
  }

  override hash(offset: number): number {
    this.hashed += 1;
    return super.hash(offset);
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

test('a long string that many types share is compared once, which keeps hostile names cheap', () => {
  const long = 'x'.repeat(5000);
  const strings = new CountingStrings(bytes(`\0${long}\0${long}y\0x${long}\0`), null, 16384);
  const other = 1 + 5001 + 5002;
  const nameOffsets = globalThis.Array.from({ length: 300 }, (_, i) => [1, other, other + 1][i % 3] ?? 0);
  const words = wordsOf(new Uint8Array(Uint32Array.from(nameOffsets).buffer), 'little');
  const offsets = Uint32Array.from(nameOffsets, (_, i) => i * 4);
  const search = new NameSearch(words, offsets, strings);
  for (let searches = 1; searches < 8; searches++) {
    const found = search.find(bytes(long), 0, null);
    expect(found).toEqual(nameOffsets.flatMap((offset, i) => (offset === other ? [] : [i])));
    expect(strings.compared).toBe(2 * searches);
  }
});

test('the first searches and later ones, through the index, find the same types', () => {
  // Equal names at different offsets: at the end of others, alone, in the base, outside the section, and none.
  const base = new StringTable(bytes('\0int\0unsigned int\0'), null, 16384);
  const strings = new StringTable(bytes('int\0point\0\0\u00fcber\0'), base, 16384);
  const names = [0, 1, 5, 14, 18, 22, 24, 25, 28, 29, 35, 36, 999, 0xffffffff];
  const words = wordsOf(new Uint8Array(Uint32Array.from(names).buffer), 'little');
  const search = new NameSearch(
    words,
    Uint32Array.from(names, (_, i) => i * 4),
    strings,
  );
  const find = (name: string): number[] => {
    // One more id, of the base, before those that are found.
    const [first, ...ids] = search.find(bytes(name), 0, [77]) ?? [];
    expect(first).toBe(77);
    return ids.map((id) => names[id] ?? -1);
  };
  const expected = [
    ['int', [1, 14, 18, 24]],
    ['unsigned int', [5]],
    ['point', [22]],
    ['nt', [25]],
    ['', [0, 28]],
    ['\u00fcber', [29]],
    ['absent', []],
  ] as const;
  for (let round = 0; round < 3; round++) {
    for (const [name, offsets] of expected) expect([name, find(name)]).toEqual([name, offsets]);
  }
});

test('two thousand lookups read all names five times, and compare few', () => {
  const count = 50_000;
  const names = globalThis.Array.from({ length: count }, (_, i) => `type_${i}`);
  const strings = new CountingStrings(bytes(`\0${names.join('\0')}\0`), null, 16384);
  let end = 1;
  const nameOffsets = names.map((name) => (end += name.length + 1) - name.length - 1);
  const words = wordsOf(new Uint8Array(Uint32Array.from(nameOffsets).buffer), 'little');
  const search = new NameSearch(
    words,
    Uint32Array.from(nameOffsets, (_, i) => i * 4),
    strings,
  );
  const lookups = 2_000;
  for (let i = 0; i < lookups; i++) {
    const wanted = (i * 7919) % count;
    expect(search.find(bytes(names[wanted] ?? ''), 0, null)).toEqual([wanted]);
  }
  // The index is built once, from hashes, after four searches without it.
  expect(strings.hashed).toBe(count);
  expect(strings.looked).toBeLessThan(4 * count + 8 * lookups);
  expect(strings.compared).toBeLessThan(4 * count + 4 * lookups);
});

test('an index that was asked for serves the first search', () => {
  const strings = new CountingStrings(bytes('\0a\0b\0'), null, 16384);
  const words = wordsOf(new Uint8Array(Uint32Array.of(1, 3, 1).buffer), 'little');
  const search = new NameSearch(words, Uint32Array.of(0, 4, 8), strings);
  search.buildIndex();
  search.buildIndex();
  expect(strings.hashed).toBe(3);
  expect(search.find(bytes('a'), 10, null)).toEqual([10, 12]);
  expect(search.find(bytes('c'), 10, null)).toBeNull();
  expect(strings.looked).toBe(2);
});

test('equal hashes of different names, and of many types, do not mix results', () => {
  // FNV-1a of 32 bits: these names collide, found by search.
  const [first, second] = ['costarring', 'liquid'];
  const strings = new CountingStrings(bytes(`\0${first}\0${second}\0`), null, 16384);
  const offsetsOfNames = globalThis.Array.from({ length: 2000 }, (_, i) =>
    i % 2 === 0 ? 1 : first.length + 2,
  );
  const words = wordsOf(new Uint8Array(Uint32Array.from(offsetsOfNames).buffer), 'little');
  const search = new NameSearch(
    words,
    Uint32Array.from(offsetsOfNames, (_, i) => i * 4),
    strings,
  );
  search.buildIndex();
  expect(strings.hash(1)).toBe(strings.hash(first.length + 2));
  expect(search.find(bytes(first), 0, null)).toEqual(offsetsOfNames.flatMap((o, i) => (o === 1 ? [i] : [])));
  expect(search.find(bytes(second), 0, null)).toEqual(offsetsOfNames.flatMap((o, i) => (o === 1 ? [] : [i])));
});
