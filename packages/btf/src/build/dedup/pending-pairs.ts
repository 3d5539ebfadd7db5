import { withRoom } from '../../words.js';
import type { TypeGraph } from './type-graph.js';

/** PendingPairs is a stack of pairs of types that are still to be compared. */
export class PendingPairs {
  /** The pair that {@link pop} returned last. */
  first = 0;
  second = 0;
  readonly #graph: TypeGraph;
  #stack: Int32Array = new Int32Array(256);
  #length = 0;

  constructor(graph: TypeGraph) {
    this.#graph = graph;
  }

  start(first: number, second: number): void {
    this.#stack[0] = first;
    this.#stack[1] = second;
    this.#length = 2;
  }

  pop(): boolean {
    if (this.#length === 0) return false;
    this.#length -= 2;
    this.first = this.#stack[this.#length] ?? 0;
    this.second = this.#stack[this.#length + 1] ?? 0;
    return true;
  }

  /** pushReferences adds the references of two types of the same shape. They are popped in the order of the words. */
  pushReferences(first: number, second: number): void {
    const { starts, references } = this.#graph;
    const start = starts[first] ?? 0;
    const difference = (starts[second] ?? 0) - start;
    let at = (starts[first + 1] ?? 0) - 1;
    let length = this.#length;
    const stack = withRoom(this.#stack, length + 2 * (at + 1 - start));
    for (; at >= start; at--) {
      const one = references[at] ?? 0;
      const other = references[at + difference] ?? 0;
      // Equal types need no comparison.
      if (one === other) continue;
      stack[length] = one;
      stack[length + 1] = other;
      length += 2;
    }
    this.#stack = stack;
    this.#length = length;
  }
}
