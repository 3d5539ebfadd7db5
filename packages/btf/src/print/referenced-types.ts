import { KIND_ROWS } from '../kind-words.js';
import type { TypeId } from '../types.js';
import { TypeMarks } from './type-marks.js';
import type { TypeWords } from './type-words.js';

/** ReferencedTypes finds the types that other types refer to. A query reads all types that were not read before. */
export class ReferencedTypes {
  readonly #types: TypeWords;
  readonly #marks: TypeMarks;
  /** The first type that was not read. */
  #next: TypeId = 1;

  constructor(types: TypeWords) {
    this.#types = types;
    this.#marks = new TypeMarks(types.endTypeId);
  }

  has(id: TypeId): boolean {
    const types = this.#types;
    for (; this.#next < types.endTypeId; this.#next++) this.#read(this.#next);
    return this.#marks.get(id) === 1;
  }

  #read(id: TypeId): void {
    const types = this.#types;
    const row = KIND_ROWS[types.kind(id)];
    if (row === undefined) return;
    if (row.third === 'TYPE_ID') this.#mark(types.third(id));
    const once = types.elements(id);
    for (let at = once; at < once + row.onceIds; at++) this.#mark(types.unsignedAt(at));
    if (row.eachId < 0) return;
    const first = once + row.once;
    const end = first + types.vlen(id) * row.each;
    for (let at = first + row.eachId; at < end; at += row.each) this.#mark(types.unsignedAt(at));
  }

  #mark(id: TypeId): void {
    // An id that no type has is not stored: it may be as large as four billion.
    if (id < this.#types.endTypeId) this.#marks.set(id, 1);
  }
}
