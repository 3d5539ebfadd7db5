import type { TypeId } from '../types.js';

/** Problem is one thing that the kernel would refuse a BTF for. */
export interface Problem {
  /** The type that is wrong; null where the header, a section or the whole is. */
  readonly typeId: TypeId | null;
  /** The index of the member, value, parameter or variable of that type; null where the type itself is wrong. */
  readonly component: number | null;
  /** What is wrong, in the words of the kernel's log where it has any. */
  readonly message: string;
}

/** ProblemList collects problems up to a number. */
export class ProblemList {
  readonly list: Problem[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether there is no room for more, so that looking for them is in vain. */
  get full(): boolean {
    return this.list.length >= this.#limit;
  }

  add(typeId: TypeId | null, message: string, component: number | null = null): void {
    if (!this.full) this.list.push({ typeId, component, message });
  }
}
