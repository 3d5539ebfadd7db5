import { describe, expect, test } from '@jest/globals';
import { layoutStrings } from './string-layout.js';
import { StringPool } from './string-pool.js';

function layout(texts: readonly string[], shareSuffixes: boolean): { text: string; read: string[] } {
  const pool = new StringPool();
  const ids = texts.map((text) => pool.internText(text));
  const used = [...new Set(ids)].filter((id) => id !== 0);
  const { bytes, offsets } = layoutStrings(pool, used, { shareSuffixes, base: null });
  const text = new TextDecoder().decode(bytes);
  const read = ids.map((id) => {
    const from = offsets[id] ?? 0;
    return new TextDecoder().decode(bytes.subarray(from, bytes.indexOf(0, from)));
  });
  return { text, read };
}

describe('layoutStrings', () => {
  test('writes each string once in the order of its first use, the empty one at 0', () => {
    const { text, read } = layout(['b', '', 'ab', 'b', 'ab'], false);
    expect(text).toBe('\0b\0ab\0');
    expect(read).toEqual(['b', '', 'ab', 'b', 'ab']);
  });

  test('shares suffixes, also of suffixes and in any order', () => {
    const texts = ['next', 'ext', 'x', 'prev_next', 't', '', 'nex', 'größe', 'öße'];
    const { text, read } = layout(texts, true);
    expect(text).toBe('\0prev_next\0nex\0größe\0');
    expect(read).toEqual(texts);
  });

  test('keeps different bytes that are not UTF-8 separate', () => {
    const pool = new StringPool();
    const ids = [0xff, 0xfe, 0xff].map((byte) => pool.intern(Uint8Array.of(byte), 0, 1));
    expect(ids).toEqual([1, 2, 1]);
    const { bytes } = layoutStrings(pool, [1, 2], { shareSuffixes: true, base: null });
    expect(bytes).toEqual(Uint8Array.of(0, 0xff, 0, 0xfe, 0));
  });

  test('uses the strings that the base has', () => {
    const pool = new StringPool();
    const [old, own] = [pool.internText('old'), pool.internText('own')];
    const base = { end: 100, offsets: new Map([[old, 7]]) };
    const { bytes, offsets } = layoutStrings(pool, [old, own], { shareSuffixes: false, base });
    expect([offsets[old], offsets[own]]).toEqual([7, 100]);
    expect(new TextDecoder().decode(bytes)).toBe('own\0');
  });

  test('reads each of many strings back', () => {
    const texts = globalThis.Array.from({ length: 5000 }, (_, i) => `${(i * 7919) % 5000}_${i % 7}`);
    expect(layout(texts, true).read).toEqual(texts);
    expect(layout(texts, false).read).toEqual(texts);
  });
});
