import { visitIds, wordCount } from '../kind-words.js';
import type { TypeId } from '../types.js';
import { mixHash } from '../words.js';
import type { ImportSource } from './import-source.js';
import { TypeTable } from './type-table.js';
import { hashWords } from './word-index.js';

/** The number of references over which a difference changes a type's hash. */
const HASH_ROUNDS = 3;

/**
 * Maximum number of types of one hash to compare. Only BTF made to be slow has more; its types are then added again.
 */
const MAX_CANDIDATES = 16;

/** Replaces each reference to another type of the cycle in a type's words. */
const WITHIN = -1;

/**
 * CycleIndex finds cycles of types that refer to each other, such as a struct and a pointer to it that it contains.
 * Two cycles are equal if a walk along all references of both meets the same words.
 */
export class CycleIndex {
  readonly #table: TypeTable;
  readonly #byHash = new Map<number, TypeId[]>();

  constructor(table: TypeTable) {
    this.#table = table;
  }

  /**
   * add gives each type of a cycle the id of its equal, or adds them all. If one type has an equal, so do all types
   * that it leads to, which is the whole cycle.
   */
  add(source: ImportSource, group: readonly TypeId[]): void {
    const cycle = new Cycle(source, group);
    const candidates = group.map((_, index) => this.#byHash.get(cycle.hash(index)) ?? []);
    const fewest = candidates.reduce((best, { length }, i) => {
      return length < (candidates[best]?.length ?? 0) ? i : best;
    }, 0);
    for (const candidate of (candidates[fewest] ?? []).slice(0, MAX_CANDIDATES)) {
      const equals = this.#equals(cycle, group.length, fewest, candidate);
      if (equals === null) continue;
      for (const [index, id] of group.entries()) source.ids[id] = equals[index] ?? 0;
      return;
    }
    this.#append(source, group, cycle);
  }

  /** The equal of each type of the cycle if the one at `start` equals the candidate; otherwise null. */
  #equals(cycle: Cycle, size: number, start: number, candidate: TypeId): Int32Array | null {
    const equals = new Int32Array(size);
    equals[start] = candidate;
    const pending = [start];
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (!this.#sameWords(cycle, index, equals, pending)) return null;
    }
    return equals;
  }

  #sameWords(cycle: Cycle, index: number, equals: Int32Array, pending: number[]): boolean {
    const theirs = this.#table.words;
    const start = this.#table.offset(equals[index] ?? 0);
    const { words } = cycle.table;
    const own = cycle.table.offset(index + 1);
    const length = wordCount(words[own + 1] ?? 0);
    if (words[own + 1] !== theirs[start + 1]) return false;
    const within = cycle.references(index);
    let next = 0;
    for (let i = 0; i < length; i++) {
      const target = within[next];
      if (target === undefined || target.at !== own + i) {
        if (words[own + i] !== theirs[start + i]) return false;
        continue;
      }
      next += 1;
      const id = theirs[start + i] ?? 0;
      if (id === 0) return false;
      if (equals[target.index] === 0) {
        equals[target.index] = id;
        pending.push(target.index);
      } else if (equals[target.index] !== id) return false;
    }
    return true;
  }

  #append(source: ImportSource, group: readonly TypeId[], cycle: Cycle): void {
    for (const id of group) source.ids[id] = this.#table.reserve();
    const { words } = cycle.table;
    for (const [index, id] of group.entries()) {
      for (const target of cycle.references(index)) {
        words[target.at] = source.ids[group[target.index] ?? 0] ?? 0;
      }
      const added = source.ids[id] ?? 0;
      this.#table.define(added, words, cycle.table.offset(index + 1));
      const hash = cycle.hash(index);
      const others = this.#byHash.get(hash);
      if (others === undefined) this.#byHash.set(hash, [added]);
      else others.push(added);
    }
  }
}

/** A reference to another type of the cycle: the index of that type, and the place in the words. */
interface Within {
  readonly index: number;
  readonly at: number;
}

/** The types of a cycle, numbered from 0. References to types outside the cycle have the ids of the builder. */
class Cycle {
  /** The type with index 0 has id 1 here. */
  readonly table = new TypeTable();
  readonly #references: (readonly Within[])[] = [];
  readonly #hashes: Int32Array;

  constructor({ reader, ids }: ImportSource, group: readonly TypeId[]) {
    const indexes = new Map(group.map((id, index) => [id, index]));
    for (const id of group) {
      reader.read(id);
      const { words } = reader;
      const start = this.table.wordLength;
      const references: Within[] = [];
      visitIds(words, 0, (at) => {
        const target = words[at] ?? 0;
        const index = indexes.get(target);
        words[at] = index === undefined ? (ids[target] ?? 0) : WITHIN;
        if (index !== undefined) references.push({ index, at: start + at });
      });
      references.sort((a, b) => a.at - b.at);
      this.table.append(words, 0);
      this.#references.push(references);
    }
    this.#hashes = this.#hashAll(group.length);
  }

  hash(index: number): number {
    return this.#hashes[index] ?? 0;
  }

  references(index: number): readonly Within[] {
    return this.#references[index] ?? [];
  }

  #hashAll(size: number): Int32Array {
    let hashes = new Int32Array(size).map((_, i) => hashWords(this.table.words, this.table.offset(i + 1)));
    for (let round = 0; round < HASH_ROUNDS; round++) {
      hashes = hashes.map((hash, i) => {
        return this.references(i).reduce((mixed, { index }) => mixHash(mixed, hashes[index] ?? 0), hash);
      });
    }
    return hashes;
  }
}
