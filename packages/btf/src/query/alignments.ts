import type { BtfFormatErrorCode, BtfReadErrorCode } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import type { PointerSize } from './pointer-size.js';

/** The failures of a search for an alignment. A failure is kept in place of the alignment. */
const FAILURES: readonly BtfFormatErrorCode[] = [
  'INVALID_ARGUMENT',
  'UNSUPPORTED',
  'LIMIT_EXCEEDED',
  'MALFORMED',
];

/** Alignments are at most 8, which leaves room in a byte for failures. */
const FIRST_FAILURE = 128;

/** Alignments keeps the known alignments of a spec's types, in a byte for each type. */
export class Alignments {
  /** The value of a type whose alignment was not searched for yet. */
  static readonly UNKNOWN = 0;
  /** The value of a type whose alignment is being searched for. */
  static readonly UNDER_WAY = 127;

  /** failure returns the value of a type whose alignment could not be found. */
  static failure(code: BtfReadErrorCode): number {
    const index = FAILURES.findIndex((failure) => failure === code);
    return FIRST_FAILURE + (index === -1 ? FAILURES.length - 1 : index);
  }

  /** failureIn returns the code of a failure from a value; null if the value is not a failure. */
  static failureIn(kept: number): BtfFormatErrorCode | null {
    return kept < FIRST_FAILURE ? null : (FAILURES[kept - FIRST_FAILURE] ?? 'MALFORMED');
  }

  readonly #base: Alignments | null;
  readonly #firstTypeId: TypeId;
  readonly #own: Uint8Array;

  constructor(spec: Spec, base: Alignments | null) {
    this.#base = base;
    this.#firstTypeId = spec.firstTypeId;
    this.#own = new Uint8Array(spec.typeCount);
  }

  get(id: TypeId): number {
    if (id >= this.#firstTypeId) return this.#own[id - this.#firstTypeId] ?? Alignments.UNKNOWN;
    return this.#base === null ? Alignments.failure('INVALID_ARGUMENT') : this.#base.get(id);
  }

  set(id: TypeId, alignment: number): void {
    if (id >= this.#firstTypeId) this.#own[id - this.#firstTypeId] = alignment;
    else this.#base?.set(id, alignment);
  }
}

const kept = { 4: new WeakMap<Spec, Alignments>(), 8: new WeakMap<Spec, Alignments>() };

/** alignmentsOf returns the alignments kept for a spec and a pointer size. Split specs share those of their base. */
export function alignmentsOf(spec: Spec, pointer: PointerSize): Alignments {
  let alignments = kept[pointer].get(spec);
  if (alignments === undefined) {
    const base = spec.base === null ? null : alignmentsOf(spec.base, pointer);
    alignments = new Alignments(spec, base);
    kept[pointer].set(spec, alignments);
  }
  return alignments;
}
