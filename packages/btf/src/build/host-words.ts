import type { ByteOrder } from '../header.js';
import { HOST_ORDER } from '../words.js';

/** hostWords reads bytes as words: the bytes themselves where alignment and byte order allow it, otherwise a copy. */
export function hostWords(bytes: Uint8Array, order: ByteOrder): Int32Array {
  if (order === HOST_ORDER && bytes.byteOffset % 4 === 0) {
    return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  }
  const copy = new Int32Array(bytes.length >>> 2);
  new Uint8Array(copy.buffer).set(bytes.subarray(0, copy.byteLength));
  if (order !== HOST_ORDER) swapWords(copy);
  return copy;
}

/** swapWords turns each word's bytes around. */
export function swapWords(words: Int32Array): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    words[i] = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  }
}
