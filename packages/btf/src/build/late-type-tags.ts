import { Kind, type TypeId } from '../types.js';
import type { TypeTable } from './type-table.js';

/** LateTypeTags finds the types after chains of type tags. Each tag is visited once. */
export class LateTypeTags {
  readonly #table: TypeTable;
  /** The type after the tags, by tag; 0 if it is not known yet. */
  readonly #after: Int32Array;

  constructor(table: TypeTable) {
    this.#table = table;
    this.#after = new Int32Array(table.endTypeId);
  }

  /** after returns the type that follows a chain of TYPE_TAGs; the type itself if it is not a TYPE_TAG. */
  after(id: TypeId): TypeId {
    const tags: TypeId[] = [];
    let target = id;
    while (this.#table.kind(target) === Kind.TYPE_TAG) {
      const known = this.#after[target] ?? 0;
      if (known !== 0) {
        target = known;
        break;
      }
      tags.push(target);
      // A chain that never leaves the tags ends where it returns to a tag.
      this.#after[target] = target;
      target = (this.#table.words[this.#table.offset(target) + 2] ?? 0) >>> 0;
    }
    for (const tag of tags) this.#after[tag] = target;
    return target;
  }
}
