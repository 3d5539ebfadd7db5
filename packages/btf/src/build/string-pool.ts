import { withRoom, HASH_SEED, RUN } from '../words.js';

const encoder = /* @__PURE__ */ new TextEncoder();

/** The hash of the empty string. The bytes of a string are added to it from the last to the first. */
const EMPTY_HASH = HASH_SEED;

function addByte(hash: number, byte: number): number {
  const mixed = Math.imul(hash ^ byte, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = EMPTY_HASH;
  for (let at = to - 1; at >= from; at--) hash = addByte(hash, bytes[at] ?? 0);
  return hash;
}

/** Up to this length, copying bytes one by one is faster than a call of `set` with a view. */
const SHORT = 64;

function copyBytes(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): void {
  if (to - from > SHORT) target.set(bytes.subarray(from, to), at);
  else for (let i = from; i < to; i++) target[at + i - from] = bytes[i] ?? 0;
}

/** Whether the string that starts at an index, and ends with a NUL, has the bytes from `from` to before `to`. */
function isString(strings: Uint8Array, start: number, from: number, to: number): boolean {
  for (let i = 0; i < to - from; i++) if (strings[start + i] !== strings[from + i]) return false;
  return strings[start + to - from] === 0;
}

/**
 * StringPool numbers distinct strings of bytes; 0 is the empty one. Bytes are kept as they are, UTF-8 or not.
 *
 * The strings lie one after the other as in a string section, each with its NUL, so that a row of them is copied at once.
 * Hashes run from the end of a string to its start, so hashing a string passes the hash of each suffix.
 */
export class StringPool {
  /** The strings in the order of their numbers, each with a NUL after it. */
  #bytes = new Uint8Array(1024);
  #starts: Int32Array = new Int32Array(64);
  #hashes: Int32Array = new Int32Array(64);
  /** The bytes of a short text that is looked up. */
  readonly #text = new Uint8Array(SHORT);
  /** Open addressing: 0 is free, otherwise a string's number + 1. */
  #slots = new Int32Array(128);
  #count = 0;

  constructor() {
    this.intern(new Uint8Array(0), 0, 0);
  }

  /** The number of strings, with the empty one. */
  get count(): number {
    return this.#count;
  }

  /**
   * intern returns the number of the string in the bytes from `from` to before `to`. It copies the bytes of a new
   * string.
   */
  intern(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashOf(bytes, from, to);
    const found = this.#find(hash, bytes, from, to);
    return found < 0 ? this.#append(hash, bytes, from, to) : found;
  }

  /**
   * internAll adds all strings of a section to an empty pool, and sets the negative of their numbers in `table` at
   * their offsets. It takes two thirds of the time of {@link intern} for each.
   *
   * @param section begins and ends with NUL.
   */
  internAll(section: Uint8Array, table: Int32Array): void {
    this.#bytes = section.slice();
    for (let from = 1; from < section.length;) from = this.#internRun(from, table);
  }

  /** Interns strings that lie in `#bytes`, from an index on. Returns where the next ones start. See {@link RUN}. */
  #internRun(first: number, table: Int32Array): number {
    const bytes = this.#bytes;
    const last = Math.min(bytes.length, first + RUN);
    let slots = this.#slots;
    let end = this.#starts[this.#count] ?? 0;
    let from = first;
    for (let to = from; from < last; from = to + 1) {
      to = from;
      while (bytes[to] !== 0) to++;
      const hash = hashOf(bytes, from, to);
      const mask = slots.length - 1;
      let slot = hash & mask;
      let id = (slots[slot] ?? 0) - 1;
      while (id >= 0 && (this.#hashes[id] !== hash || !isString(bytes, this.#starts[id] ?? 0, from, to))) {
        slot = (slot + 1) & mask;
        id = (slots[slot] ?? 0) - 1;
      }
      if (id < 0) {
        id = this.#count;
        this.#count += 1;
        if (end < from) bytes.copyWithin(end, from, to + 1);
        end += to - from + 1;
        this.#starts = withRoom(this.#starts, id + 2);
        this.#starts[id + 1] = end;
        this.#hashes = withRoom(this.#hashes, id + 1);
        this.#hashes[id] = hash;
        slots[slot] = id + 1;
        if (this.#count * 2 > slots.length) {
          this.#rehash();
          slots = this.#slots;
        }
      }
      table[from] = -id;
    }
    return from;
  }

  /** find returns the number of the string in the bytes from `from` to before `to`; -1 if the pool does not have it. */
  find(bytes: Uint8Array, from: number, to: number): number {
    return this.#find(hashOf(bytes, from, to), bytes, from, to);
  }

  /**
   * internText returns the number of a text; -1 if a string section cannot hold it: it has a NUL or half a surrogate
   * pair.
   */
  internText(text: string): number {
    if (text.length <= SHORT && this.#isPlain(text)) return this.intern(this.#text, 0, text.length);
    if (text.includes('\0') || /\p{Surrogate}/u.test(text)) return -1;
    const bytes = encoder.encode(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /**
   * Whether a short text is ASCII without NUL, as most names are. Its bytes are then in `#text`: an encoder takes three
   * times as long.
   */
  #isPlain(text: string): boolean {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0 || code > 0x7f) return false;
      this.#text[at] = code;
    }
    return true;
  }

  /** bytesOf returns the bytes of a string. They are valid until the next string is added. */
  bytesOf(id: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[id] ?? 0, this.#endOf(id));
  }

  /** lengthOf returns the length of a string in bytes. */
  lengthOf(id: number): number {
    return this.#endOf(id) - (this.#starts[id] ?? 0);
  }

  /** copyRow copies the strings from a number to before another one to an index in `target`, each with its NUL. */
  copyRow(first: number, end: number, target: Uint8Array, at: number): void {
    copyBytes(target, at, this.#bytes, this.#starts[first] ?? 0, this.#starts[end] ?? 0);
  }

  /** visitSuffixes calls `visit` with each other, non-empty string that the string ends with, shortest first. */
  visitSuffixes(id: number, visit: (suffix: number) => void): void {
    const start = this.#starts[id] ?? 0;
    const end = this.#endOf(id);
    let hash = EMPTY_HASH;
    for (let at = end - 1; at > start; at--) {
      hash = addByte(hash, this.#bytes[at] ?? 0);
      const found = this.#find(hash, this.#bytes, at, end);
      if (found >= 0) visit(found);
    }
  }

  /** The index of the NUL after a string. */
  #endOf(id: number): number {
    return (this.#starts[id + 1] ?? 1) - 1;
  }

  #find(hash: number, bytes: Uint8Array, from: number, to: number): number {
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const id = (this.#slots[at] ?? 0) - 1;
      if (id < 0) return -1;
      if (this.#hashes[id] === hash && this.#equals(id, bytes, from, to)) return id;
    }
  }

  #equals(id: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[id] ?? 0;
    if (this.lengthOf(id) !== to - from) return false;
    for (let i = 0; i < to - from; i++) {
      if (this.#bytes[start + i] !== bytes[from + i]) return false;
    }
    return true;
  }

  #append(hash: number, bytes: Uint8Array, from: number, to: number): number {
    const id = this.#count++;
    const start = this.#starts[id] ?? 0;
    const end = start + to - from + 1;
    if (end > this.#bytes.length) {
      const longer = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    copyBytes(this.#bytes, start, bytes, from, to);
    this.#bytes[end - 1] = 0;
    this.#starts = withRoom(this.#starts, id + 2);
    this.#starts[id + 1] = end;
    this.#hashes = withRoom(this.#hashes, id + 1);
    this.#hashes[id] = hash;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    else this.#insert(id);
    return id;
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let id = 0; id < this.#count; id++) this.#insert(id);
  }

  #insert(id: number): void {
    const mask = this.#slots.length - 1;
    let at = (this.#hashes[id] ?? 0) & mask;
    while (this.#slots[at] !== 0) at = (at + 1) & mask;
    this.#slots[at] = id + 1;
  }
}
