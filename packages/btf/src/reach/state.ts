/** VALUE has the kinds of values that a register or stack slot can have. */
export const VALUE = {
  /** Any. */
  UNKNOWN: 0,
  /** A number of 64 bits. */
  NUMBER: 1,
  /** An address in read-only data: the section in the high 32 bits, the offset in the low ones. */
  DATA: 2,
  /** An address that is not 0, whatever else it is. */
  NOT_NULL: 3,
} as const;

/** The number of registers with a value. That of the frame pointer never changes. */
export const REGISTERS = 10;

/** The most cells that the states of a program may have, which take 36 MiB. Programs of 100,000 instructions need less. */
const MAX_CELLS = 4 * 1024 * 1024;

/** State has the values of the registers and then of the stack slots before an instruction, each in one cell. */
export class State {
  readonly kinds: Uint8Array;
  readonly values: BigInt64Array;
  /** The same values in halves, which are compared and copied without making a bigint of each. */
  readonly halves: Int32Array;

  /** Everything is unknown at first. @param slotCount the number of stack slots that can hold a known value. */
  constructor(readonly slotCount: number) {
    this.kinds = new Uint8Array(REGISTERS + slotCount);
    this.values = new BigInt64Array(REGISTERS + slotCount);
    this.halves = new Int32Array(this.values.buffer);
  }

  /** set changes a cell. A value that does not fit wraps to 64 bits. */
  set(cell: number, kind: number, value: bigint): void {
    this.kinds[cell] = kind;
    this.values[cell] = value;
  }

  /** copy gives a cell the value of another one. */
  copy(to: number, from: number): void {
    this.kinds[to] = this.kinds[from] ?? VALUE.UNKNOWN;
    this.halves.copyWithin(to * 2, from * 2, from * 2 + 2);
  }

  /** number returns the number in a cell, or null if none is known. */
  number(cell: number): bigint | null {
    return this.kinds[cell] === VALUE.NUMBER ? (this.values[cell] ?? null) : null;
  }

  forget(cell: number): void {
    this.kinds[cell] = VALUE.UNKNOWN;
  }

  forgetStack(): void {
    this.kinds.fill(VALUE.UNKNOWN, REGISTERS);
  }

  forgetAll(): void {
    this.kinds.fill(VALUE.UNKNOWN);
  }

  /** forgetCall forgets what a call can change: r0 to r5, and the stack, to which the function may have a pointer. */
  forgetCall(): void {
    this.kinds.fill(VALUE.UNKNOWN, 0, 6);
    this.forgetStack();
  }

  /** clone returns a copy that changes independently. */
  clone(): State {
    const copy = new State(this.slotCount);
    copy.kinds.set(this.kinds);
    copy.values.set(this.values);
    return copy;
  }
}

/** StateTable has the merged state at each join of a program that was reached. */
export class StateTable {
  readonly #width: number;
  /** The place of each state, in states; -1 if it has none. */
  readonly #places: Int32Array;
  #kinds: Uint8Array;
  #halves: Int32Array;
  #count = 0;

  constructor(instructionCount: number, slotCount: number) {
    this.#width = REGISTERS + slotCount;
    this.#places = new Int32Array(instructionCount).fill(-1);
    this.#kinds = new Uint8Array(64 * this.#width);
    this.#halves = new Int32Array(2 * this.#kinds.length);
  }

  /** Whether there is no room for the state of another join. */
  get isFull(): boolean {
    return (this.#count + 1) * this.#width > MAX_CELLS;
  }

  /** merge merges a state into that of a join. Cells that differ become unknown. @returns whether that changed it. */
  merge(join: number, state: State): boolean {
    const place = this.#places[join] ?? -1;
    if (place === -1) {
      this.#add(join, state);
      return true;
    }
    const first = place * this.#width;
    let isChanged = false;
    for (let cell = 0; cell < this.#width; cell++) {
      const kind = this.#kinds[first + cell];
      if (kind === VALUE.UNKNOWN || (kind === state.kinds[cell] && this.#isEqual(first + cell, state, cell)))
        continue;
      this.#kinds[first + cell] = VALUE.UNKNOWN;
      isChanged = true;
    }
    return isChanged;
  }

  /** load copies the state of a join, which must have one. */
  load(join: number, state: State): void {
    const first = (this.#places[join] ?? 0) * this.#width;
    state.kinds.set(this.#kinds.subarray(first, first + this.#width));
    state.halves.set(this.#halves.subarray(2 * first, 2 * (first + this.#width)));
  }

  #isEqual(stored: number, state: State, cell: number): boolean {
    return (
      this.#halves[2 * stored] === state.halves[2 * cell] &&
      this.#halves[2 * stored + 1] === state.halves[2 * cell + 1]
    );
  }

  #add(join: number, state: State): void {
    const first = this.#count * this.#width;
    if (first + this.#width > this.#kinds.length) {
      const [kinds, halves] = [this.#kinds, this.#halves];
      this.#kinds = new Uint8Array(2 * kinds.length);
      this.#kinds.set(kinds);
      this.#halves = new Int32Array(2 * halves.length);
      this.#halves.set(halves);
    }
    this.#kinds.set(state.kinds, first);
    this.#halves.set(state.halves, 2 * first);
    this.#places[join] = this.#count;
    this.#count += 1;
  }
}
