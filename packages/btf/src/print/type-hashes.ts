import { Kind, type TypeId } from '../types.js';
import { STEP_BYTES, type StringBytes } from './string-bytes.js';
import { ENUM64_WORDS, ENUM_WORDS, MEMBER_WORDS, type TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

const UNKNOWN = 0;
const KNOWN = 1;

/**
 * TypeHashes orders types of the same name by the hash of bpftool 7.8, which covers the names of their members and of the
 * members' types. So the order does not depend on ids.
 *
 * A hash has 64 bits, in two halves of 32. The halves have a sign: V8 makes an object of each larger number, until a function
 * is optimised.
 */
export class TypeHashes {
  readonly #types: TypeWords;
  readonly #strings: StringBytes;
  readonly #work: WorkLimit;
  /** Two slots for each type: at its id without the members of structs, and after all ids with them. */
  readonly #states: Uint8Array;
  readonly #highs: Int32Array;
  readonly #lows: Int32Array;
  /** The hash that is being computed. */
  #high = 0;
  #low = 0;

  constructor(types: TypeWords, strings: StringBytes, work: WorkLimit) {
    this.#types = types;
    this.#strings = strings;
    this.#work = work;
    this.#states = new Uint8Array(types.endTypeId * 2);
    this.#highs = new Int32Array(types.endTypeId * 2);
    this.#lows = new Int32Array(types.endTypeId * 2);
  }

  /** sort sorts ids by their hashes, then by their value. */
  sort(ids: Uint32Array): void {
    const end = this.#types.endTypeId;
    for (const id of ids) this.#find(id, true);
    const highs = this.#highs.subarray(end);
    const lows = this.#lows.subarray(end);
    ids.sort(
      (a, b) => unsigned(highs[a]) - unsigned(highs[b]) || unsigned(lows[a]) - unsigned(lows[b]) || a - b,
    );
  }

  /** Finds the hash of a type, and returns its slot. */
  #find(id: TypeId, withMembers: boolean): number {
    const slot = withMembers ? id + this.#types.endTypeId : id;
    if (id === 0 || this.#states[slot] !== UNKNOWN) return slot;
    const high = this.#high;
    const low = this.#low;
    this.#high = 0;
    this.#low = 0;
    this.#work.enter(id);
    this.#addType(id, withMembers);
    this.#work.leave();
    this.#highs[slot] = this.#high;
    this.#lows[slot] = this.#low;
    this.#states[slot] = KNOWN;
    this.#high = high;
    this.#low = low;
    return slot;
  }

  #addType(id: TypeId, withMembers: boolean): void {
    const types = this.#types;
    this.#addName(types.name(id));
    switch (types.kind(id)) {
      case Kind.ENUM:
        this.#addNames(id, ENUM_WORDS);
        break;
      case Kind.ENUM64:
        this.#addNames(id, ENUM64_WORDS);
        break;
      case Kind.STRUCT:
      case Kind.UNION:
        if (withMembers) this.#addMembers(id);
        break;
      case Kind.ARRAY:
        this.#add(0, types.arrayLength(id) | 0);
        break;
      default:
        break;
    }
    const target = types.target(id);
    if (target !== null) this.#addSlot(this.#find(target, withMembers));
  }

  #addNames(id: TypeId, words: number): void {
    const types = this.#types;
    const first = types.elements(id);
    const end = first + types.vlen(id) * words;
    for (let at = first; at < end; at += words) this.#addName(types.unsignedAt(at));
  }

  #addMembers(id: TypeId): void {
    const types = this.#types;
    const first = types.elements(id);
    const end = first + types.vlen(id) * MEMBER_WORDS;
    for (let at = first; at < end; at += MEMBER_WORDS) {
      this.#addName(types.unsignedAt(at));
      this.#addSlot(this.#find(types.unsignedAt(at + 1), false));
    }
  }

  /** Adds the hash of a name, if there is one. */
  #addName(name: number): void {
    if (name === 0) return;
    const bytes = this.#strings.section(name);
    const start = this.#strings.start(name);
    let high = 0;
    let low = 0;
    let byte = 0;
    for (let i = start; (byte = bytes[i] ?? 0) !== 0; i++) {
      // Many members may share one endless name.
      if ((i - start) % STEP_BYTES === STEP_BYTES - 1) this.#work.stepName();
      // `char` is signed. This is {@link #add} for a small number, written out: it runs for each character.
      const value = (byte << 24) >> 24;
      const lowest = (low & 0xffff) * 31 + (value & 0xffff);
      const middle = (low >>> 16) * 31 + ((value >> 16) & 0xffff) + (lowest >>> 16);
      low = (middle << 16) | (lowest & 0xffff);
      high = (Math.imul(high, 31) + (value >> 31) + (middle >>> 16)) | 0;
    }
    this.#add(high, low);
  }

  #addSlot(slot: number): void {
    this.#add(this.#highs[slot] ?? 0, this.#lows[slot] ?? 0);
  }

  /** Makes `hash * 31 + value` of the hash, in 64 bits. */
  #add(high: number, low: number): void {
    const before = this.#low;
    const lowest = (before & 0xffff) * 31 + (low & 0xffff);
    const middle = (before >>> 16) * 31 + (low >>> 16) + (lowest >>> 16);
    this.#low = (middle << 16) | (lowest & 0xffff);
    this.#high = (Math.imul(this.#high, 31) + high + (middle >>> 16)) | 0;
  }
}

function unsigned(half: number | undefined): number {
  return (half ?? 0) >>> 0;
}
