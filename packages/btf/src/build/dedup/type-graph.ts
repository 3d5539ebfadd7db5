import { HEAD_WORDS, kindWords, wordCount } from '../../kind-words.js';
import { Kind, type TypeId } from '../../types.js';
import { HASH_SEED, kindFlagOfInfo, kindOfInfo, mixHash, RUN, vlenOfInfo } from '../../words.js';
import type { AllTypes } from '../spec-reader.js';
import { newSlots, withFreeSlots } from './id-slots.js';

/** The first type of each shape that was found, by hash. */
interface FoundShapes {
  slots: Int32Array;
  count: number;
}

/**
 * TypeGraph has the types to deduplicate as a graph: the shape of each type, which is all but the ids in it, and the ids.
 * Void has id and shape 0.
 */
export class TypeGraph {
  /** The first id that is too large. */
  readonly endTypeId: TypeId;
  readonly kinds: Uint8Array;
  /** The number of each type's name, smaller than {@link nameCount}. */
  readonly names: Int32Array;
  readonly nameCount: number;
  /** For each type the first type of its shape. */
  readonly shapes: Int32Array;
  /** The ids that types refer to, in the order of their words. */
  readonly references: Int32Array;
  /** Where the references of each type start in {@link references}. Those of the next type start where they end. */
  readonly starts: Int32Array;
  readonly #words: Int32Array;
  readonly #offsets: Int32Array;

  /** @param nameCount the number of names in the pool. */
  constructor({ words, offsets }: AllTypes, nameCount: number) {
    this.endTypeId = offsets.length;
    this.#words = words;
    this.#offsets = offsets;
    this.nameCount = nameCount;
    this.kinds = new Uint8Array(this.endTypeId);
    this.names = new Int32Array(this.endTypeId);
    this.starts = new Int32Array(this.endTypeId + 1);
    const hashes = new Int32Array(this.endTypeId);
    this.references = this.#readTypes(hashes);
    this.shapes = new Int32Array(this.endTypeId);
    this.#findShapes(hashes);
  }

  /** vlen returns the number of elements of a type; 0 for void. */
  vlen(id: TypeId): number {
    return vlenOfInfo(this.#info(id));
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
    return kindFlagOfInfo(this.#info(id)) ? Kind.UNION : Kind.STRUCT;
  }

  /** isDeclarationOf reports whether one type is a FWD of the kind and name of the other. */
  isDeclarationOf(forward: TypeId, type: TypeId): boolean {
    return (
      this.kinds[forward] === Kind.FWD &&
      this.names[forward] === this.names[type] &&
      this.forwardKind(forward) === this.kinds[type]
    );
  }

  /** compatibleEnums reports whether two types have the same kind of enum and name, and one has no values. */
  compatibleEnums(first: TypeId, second: TypeId): boolean {
    return (
      this.isEnum(first) &&
      this.kinds[first] === this.kinds[second] &&
      this.names[first] === this.names[second] &&
      (this.vlen(first) === 0 || this.vlen(second) === 0)
    );
  }

  #info(id: TypeId): number {
    return id === 0 ? 0 : (this.#words[(this.#offsets[id] ?? 0) + 1] ?? 0);
  }

  /** Sets the hash of each shape and what else is known of a type without comparing it. Returns the references. */
  #readTypes(hashes: Int32Array): Int32Array {
    const references = new Int32Array(this.#words.length);
    let count = 0;
    for (let id = 1; id < this.endTypeId; id += RUN) count = this.#readRun(id, hashes, references, count);
    this.starts[this.endTypeId] = count;
    return references.subarray(0, count);
  }

  /** Reads some types. Returns the new number of references. See {@link RUN}. */
  #readRun(first: TypeId, hashes: Int32Array, references: Int32Array, known: number): number {
    const words = this.#words;
    const { kinds, names, starts } = this;
    const last = Math.min(this.endTypeId, first + RUN);
    let count = known;
    for (let id = first; id < last; id++) {
      const start = this.#offsets[id] ?? 0;
      const info = words[start + 1] ?? 0;
      const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
      const name = words[start] ?? 0;
      kinds[id] = kindOfInfo(info);
      names[id] = name;
      starts[id] = count;
      let hash = mixHash(mixHash(HASH_SEED, name), info);
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
      hashes[id] = hash;
    }
    return count;
  }

  #findShapes(hashes: Int32Array): void {
    const found: FoundShapes = { slots: newSlots(), count: 0 };
    for (let id = 1; id < this.endTypeId; id += RUN) this.#findShapesFrom(id, hashes, found);
  }

  /** Finds the shapes of some types. See {@link RUN}. */
  #findShapesFrom(begin: TypeId, hashes: Int32Array, found: FoundShapes): void {
    const { shapes } = this;
    let { slots, count } = found;
    const end = Math.min(this.endTypeId, begin + RUN);
    for (let id = begin; id < end; id++) {
      const hash = hashes[id] ?? 0;
      const mask = slots.length - 1;
      let at = hash & mask;
      let first = slots[at] ?? 0;
      while (first !== 0 && (hashes[first] !== hash || !this.#sameShape(first, id))) {
        at = (at + 1) & mask;
        first = slots[at] ?? 0;
      }
      shapes[id] = first === 0 ? id : first;
      if (first !== 0) continue;
      slots[at] = id;
      count += 1;
      slots = withFreeSlots(slots, count, hashes);
    }
    found.slots = slots;
    found.count = count;
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
