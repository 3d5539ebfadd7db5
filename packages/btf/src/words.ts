import type { ByteOrder } from './header.js';

/** Words reads a section of 32-bit words. Offsets are bytes from the section's start, multiples of 4. */
export interface Words {
  u32(at: number): number;
  i32(at: number): number;
}

/** wordsOf reads through a typed array where alignment and byte order allow it, which is several times faster. */
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
