import { Kind, type TypeId } from '../types.js';
import { withRoom } from '../words.js';
import type { CNaming } from './c-context.js';
import { NameCounter } from './name-counter.js';
import type { StringBytes } from './string-bytes.js';
import type { TypeWords } from './type-words.js';
import type { WorkLimit } from './work-limit.js';

/**
 * CNames makes names unique in their C name space. The BTF of a kernel has several types of one name, from several
 * source files. The second one printed becomes `name___2`, which relocation treats as a flavour of `name`.
 */
export class CNames implements CNaming {
  readonly #types: TypeWords;
  readonly #definesEnum: (id: TypeId) => boolean;
  /** The number of a type among those of its name, counted from 1; 0 if it has none yet. */
  #numbers: Int32Array;
  readonly #tags: NameCounter;
  readonly #identifiers: NameCounter;

  /** @param definesEnum whether C can define an ENUM or ENUM64. */
  constructor(types: TypeWords, strings: StringBytes, work: WorkLimit, definesEnum: (id: TypeId) => boolean) {
    this.#types = types;
    this.#definesEnum = definesEnum;
    this.#numbers = new Int32Array(types.endTypeId);
    this.#tags = new NameCounter(strings, work);
    this.#identifiers = new NameCounter(strings, work);
  }

  /** ofTag returns the number of a named STRUCT, UNION, ENUM, ENUM64 or FWD among those of its name. */
  ofTag(id: TypeId): number {
    return this.#numbers[id] || this.#number(id, this.#tags);
  }

  /** ofTypedef returns the number of a TYPEDEF. */
  ofTypedef(id: TypeId): number {
    return this.#numbers[id] || this.#number(id, this.#identifiers);
  }

  /** ofEnumerator returns a new number for a constant at each call, given the offset of its name. */
  ofEnumerator(name: number): number {
    return this.#identifiers.next(name);
  }

  #number(id: TypeId, counter: NameCounter): number {
    const number = this.#isDeclaration(id) ? 1 : counter.next(this.#types.name(id));
    this.#numbers = withRoom(this.#numbers, id + 1);
    this.#numbers[id] = number;
    return number;
  }

  /** Whether a type has no body. Such a declaration means the first type of its name that has one. */
  #isDeclaration(id: TypeId): boolean {
    const kind = this.#types.kind(id);
    return kind === Kind.FWD || ((kind === Kind.ENUM || kind === Kind.ENUM64) && !this.#definesEnum(id));
  }
}
