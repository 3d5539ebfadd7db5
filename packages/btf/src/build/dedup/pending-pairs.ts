import { withRoom } from '../growing.js';
import { visitIds } from '../kind-words.js';
import type { DedupState } from './dedup-state.js';

/** PendingPairs is a stack of pairs of types that are still to be compared. */
export class PendingPairs {
  /** The pair that {@link pop} took last. */
  first = 0;
  second = 0;
  readonly #state: DedupState;
  #stack: Int32Array = new Int32Array(256);
  #length = 0;
  readonly #at: number[] = [];

  constructor(state: DedupState) {
    this.#state = state;
  }

  start(first: number, second: number): void {
    this.#length = 0;
    this.#push(first, second);
  }

  pop(): boolean {
    if (this.#length === 0) return false;
    this.#length -= 2;
    this.first = this.#stack[this.#length] ?? 0;
    this.second = this.#stack[this.#length + 1] ?? 0;
    return true;
  }

  /** pushReferences adds what two types of the same shape refer to, so that it is taken in the order of their words. */
  pushReferences(first: number, second: number): void {
    const { table } = this.#state;
    const { words } = table;
    const difference = table.offset(second) - table.offset(first);
    if (first === 0) return;
    const at = this.#at;
    at.length = 0;
    visitIds(words, table.offset(first), (index) => at.push(index));
    for (let i = at.length - 1; i >= 0; i--) {
      const index = at[i] ?? 0;
      this.#push(words[index] ?? 0, words[index + difference] ?? 0);
    }
  }

  #push(first: number, second: number): void {
    this.#stack = withRoom(this.#stack, this.#length + 2);
    this.#stack[this.#length] = first;
    this.#stack[this.#length + 1] = second;
    this.#length += 2;
  }
}
