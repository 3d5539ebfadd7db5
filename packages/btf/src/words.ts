import type { ByteOrder } from './header.js';

/** Words reads a section of 32-bit words. Offsets are bytes from the section's start, multiples of 4. */
export interface Words {
  u32(at: number): number;
  i32(at: number): number;
}

/** wordsOf reads through a typed array if alignment and byte order allow it, which is several times faster. */
export function wordsOf(bytes: Uint8Array, order: ByteOrder): Words {
  return order === HOST_ORDER && bytes.byteOffset % 4 === 0
    ? new HostWords(bytes)
    : new ForeignWords(bytes, order);
}

/** HOST_ORDER is the byte order of the machine that runs this. */
export const HOST_ORDER: ByteOrder = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'little' : 'big';

class HostWords implements Words {
  readonly #words: Int32Array;

  constructor(bytes: Uint8Array) {
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  }

  u32(at: number): number {
    return (this.#words[at >>> 2] ?? 0) >>> 0;
  }

  i32(at: number): number {
    return this.#words[at >>> 2] ?? 0;
  }
}

class ForeignWords implements Words {
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  constructor(bytes: Uint8Array, order: ByteOrder) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = order === 'little';
  }

  u32(at: number): number {
    return this.#view.getUint32(at, this.#littleEndian);
  }

  i32(at: number): number {
    return this.#view.getInt32(at, this.#littleEndian);
  }
}

// The masks of Linux 7.2 read the info words of every release: bits that it added were zero before.

/** kindOfInfo returns the kind in a type's info word. */
export function kindOfInfo(info: number): number {
  return (info >>> 24) & 0x7f;
}

/** vlenOfInfo returns the number of elements in a type's info word. A FUNC has its linkage there. */
export function vlenOfInfo(info: number): number {
  return info & 0xffffff;
}

/** kindFlagOfInfo returns the kind flag in a type's info word. */
export function kindFlagOfInfo(info: number): boolean {
  return info < 0 || info > 0x7fffffff;
}

/** hostWords returns bytes as words: a view if alignment and byte order allow it, otherwise a copy. */
export function hostWords(bytes: Uint8Array, order: ByteOrder): Int32Array {
  if (order === HOST_ORDER && bytes.byteOffset % 4 === 0) {
    return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  }
  const copy = new Int32Array(bytes.length >>> 2);
  new Uint8Array(copy.buffer).set(bytes.subarray(0, copy.byteLength));
  if (order !== HOST_ORDER) swapWords(copy);
  return copy;
}

/** swapWords reverses the bytes of each word. */
export function swapWords(words: Int32Array): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    words[i] = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  }
}

/**
 * RUN is the number of types, words or bytes that a loop over all of them treats in one call. V8 compiles a loop that is
 * called once while it runs, and drops that code at the next garbage collection. It keeps the code of a function that is
 * called often.
 */
export const RUN = 4096;

/** withRoom returns the array, or a copy at least twice as long if it is shorter than `length`. */
export function withRoom(array: Int32Array, length: number): Int32Array {
  if (length <= array.length) return array;
  const longer = new Int32Array(Math.max(length, array.length * 2));
  longer.set(array);
  return longer;
}

/**
 * HASH_SEED makes hashes differ from run to run, so that nobody can make BTF whose types or names collide. No result
 * depends on it: a hash only selects what to compare.
 */
export const HASH_SEED = /* @__PURE__ */ Math.trunc(Math.random() * 2 ** 32) | 1;

/** mixHash adds a word to a hash of 32 bits. The order of the words matters. */
export function mixHash(hash: number, word: number): number {
  const mixed = Math.imul(hash, 0x9e3779b1) ^ word;
  const spread = Math.imul(mixed ^ (mixed >>> 16), HASH_SEED);
  return spread ^ (spread >>> 13);
}
