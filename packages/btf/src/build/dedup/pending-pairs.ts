import { HEAD_WORDS, kindWords, wordCount } from '../../kind-words.js';
import { withRoom } from '../../words.js';
import type { DedupState } from './dedup-state.js';

/** PendingPairs is a stack of pairs of types that are still to be compared. */
export class PendingPairs {
  /** The pair that {@link pop} returned last. */
  first = 0;
  second = 0;
  readonly #state: DedupState;
  #stack: Int32Array = new Int32Array(256);
  #length = 0;

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

  /**
   * pushReferences adds the references of two types of the same shape, so that they are popped in the order of the
   * words.
   */
  pushReferences(first: number, second: number): void {
    if (first === 0) return;
    const { table } = this.#state;
    const { words } = table;
    const start = table.offset(first);
    const difference = table.offset(second) - start;
    const info = words[start + 1] ?? 0;
    const { thirdIsId, once, onceIds, each, eachId } = kindWords(info);
    const elements = start + HEAD_WORDS + once;
    if (eachId >= 0) {
      for (let at = start + wordCount(info) - each + eachId; at >= elements; at -= each) {
        this.#push(words[at] ?? 0, words[at + difference] ?? 0);
      }
    }
    for (let at = start + HEAD_WORDS + onceIds - 1; at >= start + HEAD_WORDS; at--) {
      this.#push(words[at] ?? 0, words[at + difference] ?? 0);
    }
    if (thirdIsId) this.#push(words[start + 2] ?? 0, words[start + 2 + difference] ?? 0);
  }

  #push(first: number, second: number): void {
    this.#stack = withRoom(this.#stack, this.#length + 2);
    this.#stack[this.#length] = first;
    this.#stack[this.#length + 1] = second;
    this.#length += 2;
  }
}
