import { BtfFormatError } from '../../format-error.js';
import { Kind, type TypeId } from '../../types.js';
import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../../words.js';
import type { TypeTable } from '../type-table.js';

/** Marks a type that is not mapped yet. */
const UNMAPPED = -1;

/**
 * DedupState is shared by the passes of deduplication: the types, and the type that each is mapped to. A type that is
 * mapped to itself is canonical.
 */
export class DedupState {
  readonly table: TypeTable;
  /** The first id that may change. The types before it belong to a base and are canonical. */
  readonly firstTypeId: TypeId;
  readonly #map: Int32Array;
  #steps: number;
  #merges = 0;

  /** @param steps the number of pairs of types to compare at most. */
  constructor(table: TypeTable, firstTypeId: TypeId, steps: number) {
    this.table = table;
    this.firstTypeId = firstTypeId;
    this.#steps = steps;
    this.#map = new Int32Array(table.count + 1).fill(UNMAPPED);
    for (let id = 0; id < firstTypeId; id++) this.#map[id] = id;
  }

  /** The first id that is too large. */
  get endTypeId(): TypeId {
    return this.table.count + 1;
  }

  /** The number of times that a type was mapped to another one. */
  get merges(): number {
    return this.#merges;
  }

  /** pair returns a number for a pair of types. */
  pair(first: TypeId, second: TypeId): number {
    return first * this.endTypeId + second;
  }

  isMapped(id: TypeId): boolean {
    return this.#map[id] !== UNMAPPED;
  }

  isCanonical(id: TypeId): boolean {
    return this.#map[id] === id;
  }

  /** map maps a type to a canonical one, or to itself. */
  map(id: TypeId, canonical: TypeId): void {
    if (id !== canonical) this.#merges += 1;
    this.#map[id] = canonical;
  }

  /** resolve returns the type that a type is mapped to in the end, as far as is known. */
  resolve(id: TypeId): TypeId {
    let at = id;
    for (
      let next = this.#map[at] ?? UNMAPPED;
      next !== UNMAPPED && next !== at;
      next = this.#map[at] ?? UNMAPPED
    ) {
      at = next;
    }
    return at;
  }

  /** word returns a word of a type; 0 for void. */
  word(id: TypeId, index: number): number {
    return id === 0 ? 0 : (this.table.words[this.table.offset(id) + index] ?? 0);
  }

  info(id: TypeId): number {
    return this.word(id, 1);
  }

  kind(id: TypeId): number {
    return kindOfInfo(this.info(id));
  }

  vlen(id: TypeId): number {
    return vlenOfInfo(this.info(id));
  }

  /** forwardKind returns the kind that a FWD declares. */
  forwardKind(id: TypeId): number {
    return kindFlagOfInfo(this.info(id)) ? Kind.UNION : Kind.STRUCT;
  }

  /**
   * step counts a comparison.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` after the last one.
   */
  step(id: TypeId): void {
    this.#steps -= 1;
    if (this.#steps >= 0) return;
    throw new BtfFormatError(
      'LIMIT_EXCEEDED',
      'too many similar types: comparing them exceeds maxComparisons',
      {
        typeId: id,
      },
    );
  }
}
