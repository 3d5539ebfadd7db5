import type { TypeId } from '../types.js';

/** TypeMarks keeps a number from 0 to 255 for each type, at first 0. It has room for types that are added later. */
export class TypeMarks {
  #marks: Uint8Array;

  constructor(endTypeId: TypeId) {
    this.#marks = new Uint8Array(endTypeId);
  }

  get(id: TypeId): number {
    return this.#marks[id] ?? 0;
  }

  set(id: TypeId, mark: number): void {
    if (id >= this.#marks.length) this.#grow(id + 1);
    this.#marks[id] = mark;
  }

  #grow(length: number): void {
    const longer = new Uint8Array(Math.max(length, this.#marks.length * 2));
    longer.set(this.#marks);
    this.#marks = longer;
  }
}
