import { btfOf, INT } from './type-words.js';

/** Case is BTF to validate, with words for it. */
export type Case = readonly [what: string, bytes: Uint8Array];

/** HEADERS are BTFs with unusual headers or sections. */
export const HEADERS: readonly Case[] = [
  ['nothing', new Uint8Array(0)],
  ['a header cut short', btfOf(INT).slice(0, 20)],
  ['a header and nothing else', patched(20, 0, btfOf()).slice(0, 24)],
  ['no types', btfOf()],
  ['another magic number', patched(0, 0x0001eb9e)],
  ['the magic number of the other byte order', patched(0, 0x00019feb)],
  ['version 2', patched(0, 0x0002eb9f)],
  ['a flag', patched(0, 0x0101eb9f)],
  ['a header length of 16', patched(4, 16)],
  ['a header length of 23', patched(4, 23)],
  ['a header longer than the BTF', patched(4, 4096)],
  ['a header of 32 bytes, the surplus zero', withHeader(32, 0)],
  ['a header of 40 bytes, the surplus zero', withHeader(40, 0)],
  ['a header of 28 bytes, the surplus not zero', withHeader(28, 1)],
  ['a header of 40 bytes, the surplus not zero', withHeader(40, 1)],
  ['types that overlap the strings', patched(16, 12)],
  ['a gap before the strings', patched(16, 20)],
  ['types that begin after a gap', patched(8, 4)],
  ['types that are not aligned', patched(8, 2)],
  ['types longer than the BTF', patched(12, 0xfffffffc)],
  ['no strings', patched(20, 0).slice(0, 40)],
  ['strings longer than the BTF', patched(20, 4096)],
  ['strings that do not begin with NUL', patched(40, 0x6e69_69)],
  ['strings that do not end with NUL', btfOf(INT).slice(0, -1)],
  ['bytes after the strings', new Uint8Array([...btfOf(INT), 0])],
  ['strings before types', stringsFirst()],
  ['a type section that ends within a type', patched(12, 14)],
];

/** Returns a copy of valid BTF with one 32-bit word changed. */
function patched(offset: number, value: number, bytes = btfOf(INT)): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(offset, value, true);
  return copy;
}

function withHeader(length: number, fill: number): Uint8Array {
  const bytes = btfOf(INT);
  const longer = new Uint8Array(bytes.length + length - 24);
  longer.set(bytes.subarray(0, 24));
  longer.fill(fill, 24, length);
  longer.set(bytes.subarray(24), length);
  new DataView(longer.buffer).setUint32(4, length, true);
  return longer;
}

function stringsFirst(): Uint8Array {
  const bytes = btfOf(INT);
  const view = new DataView(bytes.buffer);
  const strings = bytes.slice(40);
  const types = bytes.slice(24, 40);
  // The 5 bytes of strings are padded to 8, so that the types after them are aligned.
  const swapped = new Uint8Array(24 + 8 + 16);
  swapped.set(bytes.subarray(0, 24));
  swapped.set(strings, 24);
  swapped.set(types, 32);
  const header = new DataView(swapped.buffer);
  header.setUint32(8, 8, true);
  header.setUint32(12, view.getUint32(12, true), true);
  header.setUint32(16, 0, true);
  header.setUint32(20, 8, true);
  return swapped;
}
