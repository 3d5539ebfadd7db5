import { KIND_ROWS } from '../kind-words.js';
import type { TypeId } from '../types.js';
import type { TypeWords } from './type-words.js';

/** ReferencedTypes finds the types that other types refer to. The first query reads all types. */
export class ReferencedTypes {
  readonly #types: TypeWords;
  #marks: Uint8Array | null = null;

  constructor(types: TypeWords) {
    this.#types = types;
  }

  has(id: TypeId): boolean {
    this.#marks ??= marksOf(this.#types);
    return this.#marks[id] === 1;
  }
}

function marksOf(types: TypeWords): Uint8Array {
  const marks = new Uint8Array(types.endTypeId);
  for (let id = 1; id < types.endTypeId; id++) {
    const row = KIND_ROWS[types.kind(id)];
    if (row === undefined) continue;
    if (row.third === 'TYPE_ID') marks[types.third(id)] = 1;
    const once = types.elements(id);
    for (let at = once; at < once + row.onceIds; at++) marks[types.unsignedAt(at)] = 1;
    if (row.eachId < 0) continue;
    const first = once + row.once;
    const end = first + types.vlen(id) * row.each;
    for (let at = first + row.eachId; at < end; at += row.each) marks[types.unsignedAt(at)] = 1;
  }
  return marks;
}
