import { BtfFormatError } from '../../format-error.js';
import { Kind, type TypeId } from '../../types.js';
import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../../words.js';
import type { TypeTable } from '../type-table.js';

/** A type of which it is not known yet which one stands for it. */
const UNMAPPED = -1;

/**
 * DedupState is what the passes of deduplication share: the types, and which type stands for which. A type that
 * stands for itself is canonical.
 */
export class DedupState {
  readonly table: TypeTable;
  /** The first id that may change; those before are a base's and canonical. */
  readonly firstTypeId: TypeId;
  readonly #map: Int32Array;
  #steps: number;

  /** @param steps how many pairs of types may be compared. */
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

  isMapped(id: TypeId): boolean {
    return this.#map[id] !== UNMAPPED;
  }

  isCanonical(id: TypeId): boolean {
    return this.#map[id] === id;
  }

  /** map lets another type stand for one, or the type itself. */
  map(id: TypeId, canonical: TypeId): void {
    this.#map[id] = canonical;
  }

  /** resolve is the type that stands for one in the end, as far as is known. */
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

  /** word is a word of a type; void has only zeros. */
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

  /** forwardKind is the kind that a FWD declares. */
  forwardKind(id: TypeId): number {
    return kindFlagOfInfo(this.info(id)) ? Kind.UNION : Kind.STRUCT;
  }

  /**
   * step counts a comparison.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED`.
   */
  step(id: TypeId): void {
    this.#steps -= 1;
    if (this.#steps >= 0) return;
    throw new BtfFormatError('LIMIT_EXCEEDED', 'types are too alike to be deduplicated in bounded time', {
      typeId: id,
    });
  }
}

/** isComposite tells whether a kind is STRUCT or UNION. */
export function isComposite(kind: number): boolean {
  return kind === Kind.STRUCT || kind === Kind.UNION;
}
