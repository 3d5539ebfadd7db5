/** Worklist is a set of instructions that returns the lowest one first: compilers place code in the order in which it runs. */
export class Worklist {
  /** A binary heap. */
  readonly #heap: number[] = [];
  readonly #isIn: Uint8Array;

  constructor(instructionCount: number) {
    this.#isIn = new Uint8Array(instructionCount);
  }

  add(instruction: number): void {
    if (this.#isIn[instruction] === 1) return;
    this.#isIn[instruction] = 1;
    const heap = this.#heap;
    let at = heap.length;
    heap.push(instruction);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] ?? 0;
      if (above <= instruction) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = instruction;
  }

  /** take removes the lowest instruction and returns it, or null if there is none. */
  take(): number | null {
    const heap = this.#heap;
    const lowest = heap[0];
    const last = heap.pop();
    if (lowest === undefined || last === undefined) return null;
    this.#isIn[lowest] = 0;
    if (heap.length > 0) this.#sink(last);
    return lowest;
  }

  /** Places an instruction into the free top of the heap. */
  #sink(instruction: number): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child += 1;
      const below = heap[child] ?? 0;
      if (below >= instruction) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = instruction;
  }
}
