import type { TypeId } from '../types.js';

interface Frame {
  readonly id: TypeId;
  readonly references: readonly TypeId[];
  next: number;
}

/**
 * Components finds groups of types that refer to each other in cycles: strongly connected components, by
 * Tarjan's algorithm without recursion. Most groups are of one type.
 */
export class Components {
  /** For a type of an open group, the number at which it was met, counted from 1; 0 for all other types. */
  readonly #numbers: Int32Array;
  /** For a type of an open group, the lowest number known to be reachable from it. */
  readonly #lowest: Int32Array;
  readonly #open: TypeId[] = [];
  #count = 0;

  constructor(endTypeId: TypeId) {
    this.#numbers = new Int32Array(endTypeId);
    this.#lowest = new Int32Array(endTypeId);
  }

  /**
   * from iterates over the groups that can be reached from a type. A group comes after the groups that it refers to.
   *
   * @param references returns the types that a type refers to. Types of groups that were returned before may be left
   * out.
   * @param isDone reports whether a type is in a group that was returned before. It must do so when the next group is
   * requested.
   */
  *from(
    root: TypeId,
    references: (id: TypeId) => readonly TypeId[],
    isDone: (id: TypeId) => boolean,
  ): Generator<TypeId[], void, undefined> {
    try {
      const stack = [this.#enter(root, references)];
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        const { id } = top;
        const child = top.references[top.next++];
        if (child !== undefined) {
          const number = this.#numbers[child] ?? 0;
          if (number !== 0) this.#lower(id, number);
          else if (!isDone(child)) stack.push(this.#enter(child, references));
          continue;
        }
        stack.pop();
        const parent = stack.at(-1);
        const lowest = this.#lowest[id] ?? 0;
        if (parent !== undefined) this.#lower(parent.id, lowest);
        if (lowest === this.#numbers[id]) yield this.#close(id);
      }
    } finally {
      // Nothing stays open after an error.
      for (const id of this.#open) this.#numbers[id] = 0;
      this.#open.length = 0;
    }
  }

  #enter(id: TypeId, references: (id: TypeId) => readonly TypeId[]): Frame {
    const found = references(id);
    this.#count += 1;
    this.#numbers[id] = this.#count;
    this.#lowest[id] = this.#count;
    this.#open.push(id);
    return { id, references: found, next: 0 };
  }

  #lower(id: TypeId, to: number): void {
    if (to < (this.#lowest[id] ?? 0)) this.#lowest[id] = to;
  }

  /** The group that this type is the first of: all types that were met since and are still open. */
  #close(first: TypeId): TypeId[] {
    const group: TypeId[] = [];
    for (let id = this.#open.pop(); id !== undefined; id = this.#open.pop()) {
      this.#numbers[id] = 0;
      group.push(id);
      if (id === first) break;
    }
    return group;
  }
}
