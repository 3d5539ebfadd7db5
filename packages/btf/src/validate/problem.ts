import type { TypeId } from '../types.js';

/** Problem is one reason for the kernel to reject a BTF. */
export interface Problem {
  /** The type with the problem; null if it is in the header, a section or the BTF as a whole. */
  readonly typeId: TypeId | null;
  /** The index of the member, value, parameter or variable of that type; null if the problem is in the type itself. */
  readonly component: number | null;
  /** The problem, in the words of the kernel's log if it has any. */
  readonly message: string;
  /** Where the bytes with the problem are, from the start of the BTF; null if the problem is not about certain bytes. */
  readonly offset: number | null;
}

/** ProblemList collects problems up to a maximum number. */
export class ProblemList {
  readonly list: Problem[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether there is no room for more, so that the search can stop. */
  get full(): boolean {
    return this.list.length >= this.#limit;
  }

  add(typeId: TypeId | null, message: string, component: number | null = null): void {
    if (!this.full) this.list.push({ typeId, component, message, offset: null });
  }

  /** addAt adds a problem of the header or of a section. */
  addAt(offset: number, message: string): void {
    if (!this.full) this.list.push({ typeId: null, component: null, message, offset });
  }
}
