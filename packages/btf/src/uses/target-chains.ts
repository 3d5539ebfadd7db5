import { TypeReader } from '../decode/type-reader.js';
import { standsForOther } from '../query/resolve.js';
import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';

const UNKNOWN = 0;
const NONE = 1;
/** The number of pointers plus this. */
const FIRST = 2;
const MAX_LEVEL = 255;

/** The word of an ARRAY that has the type of its elements. */
const ELEMENT_WORD = 3;

/** TargetChains finds out which types lead to one of some targets: through typedefs, qualifiers, type tags, arrays, pointers. */
export class TargetChains {
  readonly #reader: TypeReader;
  readonly #endTypeId: TypeId;
  /** The result for each type that was met, so that no chain is followed twice. */
  readonly #levels: Uint8Array;

  constructor(spec: Spec, targets: Iterable<TypeId>) {
    this.#reader = new TypeReader(spec);
    this.#endTypeId = spec.endTypeId;
    this.#levels = new Uint8Array(spec.endTypeId);
    for (const id of targets) {
      // An error for an id that no type has.
      spec.kindOf(id);
      this.#levels[id] = FIRST;
    }
  }

  /**
   * pointers returns the number of pointers on the way from a type to a target; 0 if it is one or contains one in an array,
   * and null if it does not lead to one. A loop and a reference to a type that does not exist lead to none.
   */
  pointers(id: TypeId): number | null {
    const passed: TypeId[] = [];
    const pointers: TypeId[] = [];
    let at = id;
    let level = this.#levels[at] ?? NONE;
    while (level === UNKNOWN) {
      // In a loop, this type is met again.
      this.#levels[at] = NONE;
      passed.push(at);
      const next = this.#next(at);
      if (next === null) break;
      if (this.#reader.kind === Kind.PTR) pointers.push(at);
      at = next;
      level = at < this.#endTypeId ? (this.#levels[at] ?? NONE) : NONE;
    }
    if (level >= FIRST) this.#keep(passed, new Set(pointers), level);
    const found = this.#levels[id] ?? NONE;
    return found < FIRST ? null : found - FIRST;
  }

  #keep(passed: readonly TypeId[], pointers: ReadonlySet<TypeId>, end: number): void {
    let level = end;
    for (const id of passed.toReversed()) {
      if (pointers.has(id)) level = Math.min(level + 1, MAX_LEVEL);
      this.#levels[id] = level;
    }
  }

  /** Returns the type that a type consists of or points to; null if it is the end of a chain. */
  #next(id: TypeId): TypeId | null {
    if (id === 0) return null;
    this.#reader.open(id);
    const { kind } = this.#reader;
    if (kind === Kind.ARRAY) return this.#reader.u32(ELEMENT_WORD);
    return kind === Kind.PTR || standsForOther(kind) ? this.#reader.u32(2) : null;
  }
}
