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
 * A hash has 64 bits, in two halves of 32. They are numbers in arrays and fields, so that no step makes an object.
 */
export class TypeHashes {
  readonly #types: TypeWords;
  readonly #strings: StringBytes;
  readonly #work: WorkLimit;
  /** Two slots for each type: at its id without the members of structs, and after all ids with them. */
  readonly #states: Uint8Array;
  readonly #highs: Uint32Array;
  readonly #lows: Uint32Array;
  /** The hash that is being computed. */
  #high = 0;
  #low = 0;

  constructor(types: TypeWords, strings: StringBytes, work: WorkLimit) {
    this.#types = types;
    this.#strings = strings;
    this.#work = work;
    this.#states = new Uint8Array(types.endTypeId * 2);
    this.#highs = new Uint32Array(types.endTypeId * 2);
    this.#lows = new Uint32Array(types.endTypeId * 2);
  }

  /** sort sorts ids by their hashes, then by their value. */
  sort(ids: Uint32Array): void {
    const end = this.#types.endTypeId;
    for (const id of ids) this.#find(id, true);
    const highs = this.#highs.subarray(end);
    const lows = this.#lows.subarray(end);
    ids.sort((a, b) => (highs[a] ?? 0) - (highs[b] ?? 0) || (lows[a] ?? 0) - (lows[b] ?? 0) || a - b);
  }

  /** Finds the hash of a type, and returns its slot. */
  #find(id: TypeId, withMembers: boolean): number {
    const slot = withMembers ? id + this.#types.endTypeId : id;
    if (id === 0 || this.#states[slot] !== UNKNOWN) return slot;
    const [high, low] = [this.#high, this.#low];
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
        this.#add(0, types.arrayLength(id));
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
    const [high, low] = [this.#high, this.#low];
    this.#high = 0;
    this.#low = 0;
    const bytes = this.#strings.section(name);
    let byte = 0;
    const start = this.#strings.start(name);
    for (let i = start; (byte = bytes[i] ?? 0) !== 0; i++) {
      // Many members may share one endless name.
      if ((i - start) % STEP_BYTES === STEP_BYTES - 1) this.#work.stepName();
      // `char` is signed.
      if (byte > 127) this.#add(0xffffffff, byte + 0xffffff00);
      else this.#add(0, byte);
    }
    const [nameHigh, nameLow] = [this.#high, this.#low];
    this.#high = high;
    this.#low = low;
    this.#add(nameHigh, nameLow);
  }

  #addSlot(slot: number): void {
    this.#add(this.#highs[slot] ?? 0, this.#lows[slot] ?? 0);
  }

  /** Makes `hash * 31 + value` of the hash, in 64 bits. */
  #add(high: number, low: number): void {
    const sum = this.#low * 31 + low;
    this.#low = sum >>> 0;
    this.#high = (this.#high * 31 + high + Math.floor(sum / 2 ** 32)) >>> 0;
  }
}
