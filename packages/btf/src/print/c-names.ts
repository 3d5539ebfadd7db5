import { Kind, type TypeId } from '../types.js';
import type { CNaming } from './c-context.js';
import { NameCounter } from './name-counter.js';
import type { StringBytes } from './string-bytes.js';
import type { TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/**
 * CNames makes names unique in their C name space. BTF of a kernel has several types of one name, from several of
 * its source files; the second that is printed becomes `name___2`, which relocation takes for a flavour of `name`.
 */
export class CNames implements CNaming {
  readonly #types: TypeWords;
  /** Which of the types of its name a type is, counted from 1; 0 where that was not asked yet. */
  readonly #numbers: Uint32Array;
  readonly #tags: NameCounter;
  readonly #identifiers: NameCounter;

  constructor(types: TypeWords, strings: StringBytes, work: WorkLimit) {
    this.#types = types;
    this.#numbers = new Uint32Array(types.endTypeId);
    this.#tags = new NameCounter(strings, work);
    this.#identifiers = new NameCounter(strings, work);
  }

  /** ofTag numbers a STRUCT, UNION, ENUM, ENUM64 or FWD with a name among those of its name. */
  ofTag(id: TypeId): number {
    return this.#numbers[id] || this.#number(id, this.#tags);
  }

  /** ofTypedef numbers a TYPEDEF. */
  ofTypedef(id: TypeId): number {
    return this.#numbers[id] || this.#number(id, this.#identifiers);
  }

  /** ofEnumerator numbers a constant, by the offset of its name, another time at each call. */
  ofEnumerator(name: number): number {
    return this.#identifiers.next(name);
  }

  #number(id: TypeId, counter: NameCounter): number {
    const number = this.#isDeclaration(id) ? 1 : counter.next(this.#types.name(id));
    this.#numbers[id] = number;
    return number;
  }

  /** A declaration without a body means the first type that has one. */
  #isDeclaration(id: TypeId): boolean {
    const kind = this.#types.kind(id);
    return kind === Kind.FWD || (kind === Kind.ENUM && this.#types.vlen(id) === 0);
  }
}
