import { endianness } from 'node:os';

const HEADER_BYTES = 24;

/** rawBtf builds BTF from the words of its types and its strings, in the machine's byte order. */
export function rawBtf(words: ArrayLike<number>, strings: string): Uint8Array {
  const typeBytes = words.length * 4;
  const text = Buffer.from(strings, 'latin1');
  const bytes = new Uint8Array(HEADER_BYTES + typeBytes + text.length);
  const header = new DataView(bytes.buffer);
  const little = endianness() === 'LE';
  header.setUint16(0, 0xeb9f, little);
  header.setUint8(2, 1);
  for (const [index, value] of [HEADER_BYTES, 0, typeBytes, typeBytes, text.length].entries()) {
    header.setUint32(4 + 4 * index, value, little);
  }
  new Uint32Array(bytes.buffer, HEADER_BYTES, words.length).set(words);
  bytes.set(text, HEADER_BYTES + typeBytes);
  return bytes;
}

const INT_INFO = 1 << 24;

/** intBtf returns valid BTF of `count` ints of 32 bits with the same name. Each is 16 bytes. */
export function intBtf(count: number, name: string): Uint8Array {
  return rawBtf(intWords(count), `\0${name}\0`);
}

/** refusedBtf is like `intBtf`, but the kernel rejects the last type, after it has logged all others. */
export function refusedBtf(count: number, name: string): Uint8Array {
  const words = intWords(count);
  words[(count - 1) * 4 + 1] = 0;
  return rawBtf(words, `\0${name}\0`);
}

function intWords(count: number): Uint32Array {
  const words = new Uint32Array(count * 4);
  for (let index = 0; index < count; index++) words.set([1, INT_INFO, 4, 32], index * 4);
  return words;
}
