import { HEAD_WORDS, kindWords, wordCount } from '../../kind-words.js';
import { Kind, type TypeId } from '../../types.js';
import { HASH_SEED, kindFlagOfInfo, kindOfInfo, mixHash, vlenOfInfo } from '../../words.js';
import type { AllTypes } from '../spec-reader.js';

/**
 * TypeGraph has the types to deduplicate as a graph: the shape of each type, which is all but the ids in it, and the ids.
 * Void has id and shape 0.
 */
export class TypeGraph {
  /** The first id that is too large. */
  readonly endTypeId: TypeId;
  readonly kinds: Uint8Array;
  /** For each type the first type of its shape. */
  readonly shapes: Int32Array;
  readonly shapeHashes: Int32Array;
  /** The ids that types refer to, in the order of their words. */
  readonly references: Int32Array;
  /** Where the references of each type start in {@link references}. Those of the next type start where they end. */
  readonly starts: Int32Array;
  readonly #words: Int32Array;
  readonly #offsets: Int32Array;

  constructor({ words, offsets }: AllTypes) {
    this.endTypeId = offsets.length;
    this.#words = words;
    this.#offsets = offsets;
    this.kinds = new Uint8Array(this.endTypeId);
    this.shapeHashes = new Int32Array(this.endTypeId);
    this.starts = new Int32Array(this.endTypeId + 1);
    this.references = this.#readTypes();
    this.shapes = this.#findShapes();
  }

  /** word returns a word of a type; 0 for void. */
  word(id: TypeId, index: number): number {
    return id === 0 ? 0 : (this.#words[(this.#offsets[id] ?? 0) + index] ?? 0);
  }

  name(id: TypeId): number {
    return this.word(id, 0);
  }

  vlen(id: TypeId): number {
    return vlenOfInfo(this.word(id, 1));
  }

  /** referenceCount returns how many ids a type refers to, with repetitions. */
  referenceCount(id: TypeId): number {
    return (this.starts[id + 1] ?? 0) - (this.starts[id] ?? 0);
  }

  /** isEnum reports whether a type is an ENUM or ENUM64. */
  isEnum(id: TypeId): boolean {
    return this.kinds[id] === Kind.ENUM || this.kinds[id] === Kind.ENUM64;
  }

  /** forwardKind returns the kind that a FWD declares. */
  forwardKind(id: TypeId): number {
    return kindFlagOfInfo(this.word(id, 1)) ? Kind.UNION : Kind.STRUCT;
  }

  /** isDeclarationOf reports whether one type is a FWD of the kind and name of the other. */
  isDeclarationOf(forward: TypeId, type: TypeId): boolean {
    return (
      this.kinds[forward] === Kind.FWD &&
      this.name(forward) === this.name(type) &&
      this.forwardKind(forward) === this.kinds[type]
    );
  }

  /** compatibleEnums reports whether two types have the same kind of enum and name, and one has no values. */
  compatibleEnums(first: TypeId, second: TypeId): boolean {
    return (
      this.isEnum(first) &&
      this.kinds[first] === this.kinds[second] &&
      this.name(first) === this.name(second) &&
      (this.vlen(first) === 0 || this.vlen(second) === 0)
    );
  }

  /** Sets what is known of each type without comparing it, and returns the references. */
  #readTypes(): Int32Array {
    const words = this.#words;
    const { kinds, shapeHashes, starts } = this;
    const references = new Int32Array(words.length);
    let count = 0;
    for (let id = 1; id < this.endTypeId; id++) {
      const start = this.#offsets[id] ?? 0;
      const info = words[start + 1] ?? 0;
      const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
      kinds[id] = kindOfInfo(info);
      starts[id] = count;
      let hash = mixHash(mixHash(HASH_SEED, words[start] ?? 0), info);
      if (thirdIsId) references[count++] = words[start + 2] ?? 0;
      else hash = mixHash(hash, words[start + 2] ?? 0);
      let at = start + HEAD_WORDS;
      for (const end = at + onceIds; at < end; at++) references[count++] = words[at] ?? 0;
      for (const end = start + HEAD_WORDS + once; at < end; at++) hash = mixHash(hash, words[at] ?? 0);
      const end = start + wordCount(info);
      for (let next = at + eachId; at < end; at++) {
        if (at !== next) {
          hash = mixHash(hash, words[at] ?? 0);
          continue;
        }
        references[count++] = words[at] ?? 0;
        next += each;
      }
      shapeHashes[id] = hash;
    }
    starts[this.endTypeId] = count;
    return references.subarray(0, count);
  }

  #findShapes(): Int32Array {
    const { shapeHashes } = this;
    const shapes = new Int32Array(this.endTypeId);
    const slots = slotsFor(this.endTypeId);
    const mask = slots.length - 1;
    for (let id = 1; id < this.endTypeId; id++) {
      const hash = shapeHashes[id] ?? 0;
      let at = hash & mask;
      let first = slots[at] ?? 0;
      while (first !== 0 && (shapeHashes[first] !== hash || !this.#sameShape(first, id))) {
        at = (at + 1) & mask;
        first = slots[at] ?? 0;
      }
      if (first === 0) slots[at] = id;
      shapes[id] = first === 0 ? id : first;
    }
    return shapes;
  }

  /** Whether two types are equal except for the ids that they refer to. */
  #sameShape(first: TypeId, second: TypeId): boolean {
    const words = this.#words;
    const start = this.#offsets[first] ?? 0;
    const difference = (this.#offsets[second] ?? 0) - start;
    const info = words[start + 1] ?? 0;
    if (info !== words[start + 1 + difference] || words[start] !== words[start + difference]) return false;
    const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
    if (!thirdIsId && words[start + 2] !== words[start + 2 + difference]) return false;
    let at = start + HEAD_WORDS + onceIds;
    const elements = start + HEAD_WORDS + once;
    for (; at < elements; at++) if (words[at] !== words[at + difference]) return false;
    const end = start + wordCount(info);
    for (let next = at + eachId; at < end; at++) {
      if (at === next) next += each;
      else if (words[at] !== words[at + difference]) return false;
    }
    return true;
  }
}

/** slotsFor returns the slots of a table for a number of ids, with open addressing. Its length is a power of 2. */
export function slotsFor(count: number): Int32Array {
  return new Int32Array(2 ** Math.ceil(Math.log2(count * 2)));
}
