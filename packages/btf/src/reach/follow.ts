import { type ControlFlow, FLOW } from './control-flow.js';
import type { Instructions } from './instruction.js';
import type { ReachProgram, ReadOnlyVariable } from './program.js';
import { ReadOnlyData } from './read-only-data.js';
import { State, StateTable } from './state.js';
import { Transfer } from './transfer.js';
import { Worklist } from './worklist.js';

/** STEPS_PER_YIELD is the number of steps between two yields: some milliseconds. */
export const STEPS_PER_YIELD = 16_384;

/** The cells of a state whose merge counts as a step. */
const CELLS_PER_STEP = 16;

/** PreparedProgram is a program with what all runs over it share. */
export interface PreparedProgram {
  readonly program: ReachProgram;
  readonly instructions: Instructions;
  readonly controlFlow: ControlFlow;
  /** The read-only variables that the verifier reads, if it reads any. */
  readonly variables: readonly ReadOnlyVariable[];
  /** The first instructions of the functions that are global. */
  readonly globals: ReadonlySet<number>;
  /** The first instructions of the functions that the verifier begins with. */
  readonly entries: ReadonlySet<number>;
}

/** Obstacle is the reason why a program could not be followed. */
export type Obstacle = 'TOO_LARGE' | 'INDIRECT_JUMP';

/** StepBudget has the steps that are left. Each instruction visited takes one, each merge of states at least one. */
export interface StepBudget {
  left: number;
}

/** Followed is the result of {@link follow}. */
export interface Followed {
  /** 1 for each instruction that was reached. Of no use if there is an obstacle. */
  readonly reached: Uint8Array;
  /** The indexes of the read-only variables whose values were used. */
  readonly read: ReadonlySet<number>;
  readonly obstacle: Obstacle | null;
}

/**
 * follow follows all paths of a program that the verifier may take, and merges states where paths meet. The verifier reaches
 * no other instruction.
 *
 * @param isKnown whether the value of a read-only variable, by its index, may be used.
 */
export function* follow(
  prepared: PreparedProgram,
  isKnown: (variable: number) => boolean,
  budget: StepBudget,
): Generator<null, Followed, void> {
  const run = new Run(prepared, isKnown, budget);
  while (!run.isDone) {
    run.advance(STEPS_PER_YIELD);
    yield null;
  }
  return run;
}

class Run implements Followed {
  readonly reached: Uint8Array;
  readonly #prepared: PreparedProgram;
  readonly #budget: StepBudget;
  readonly #data: ReadOnlyData;
  readonly #transfer: Transfer;
  readonly #table: StateTable;
  readonly #worklist: Worklist;
  readonly #state: State;
  /** The state at the start of functions, in which nothing is known. */
  readonly #start: State;
  #obstacle: Obstacle | null = null;
  #isDone = false;

  constructor(prepared: PreparedProgram, isKnown: (variable: number) => boolean, budget: StepBudget) {
    const { program, instructions, controlFlow, variables, globals, entries } = prepared;
    const { byteOrder, verifier } = program;
    const { slotCount } = controlFlow;
    this.#prepared = prepared;
    this.#budget = budget;
    this.#data = new ReadOnlyData(variables, byteOrder, isKnown);
    this.#transfer = new Transfer(instructions, controlFlow, program.references, verifier, this.#data);
    this.#table = new StateTable(instructions.count, slotCount);
    this.#worklist = new Worklist(instructions.count);
    this.#state = new State(slotCount);
    this.#start = new State(slotCount);
    this.reached = new Uint8Array(instructions.count);
    for (const start of entries) this.#join(start, this.#start);
    if (verifier.checksAllGlobals) for (const start of globals) this.#join(start, this.#start);
  }

  get isDone(): boolean {
    return this.#isDone || this.#obstacle !== null;
  }

  get obstacle(): Obstacle | null {
    return this.#obstacle;
  }

  get read(): ReadonlySet<number> {
    return this.#data.read;
  }

  /** Takes about as many steps. */
  advance(steps: number): void {
    const end = this.#budget.left - steps;
    while (this.#budget.left > end && this.#obstacle === null) {
      const join = this.#worklist.take();
      if (join === null) {
        this.#isDone = true;
        return;
      }
      this.#table.load(join, this.#state);
      let at = join;
      do at = this.#step(at);
      while (at !== -1 && this.#prepared.controlFlow.isJoin[at] === 0);
      if (at !== -1) this.#join(at, this.#state);
    }
  }

  /** Visits an instruction, and returns the one to continue at with the same state, or -1. */
  #step(i: number): number {
    const { flow, target, next } = this.#prepared.controlFlow;
    this.#budget.left -= 1;
    if (this.#budget.left < 0) this.#obstacle = 'TOO_LARGE';
    this.reached[i] = 1;
    if (this.#obstacle !== null || this.#prepared.program.poisoned.has(i)) return -1;
    const to = target[i] ?? -1;
    const after = next[i] ?? -1;
    switch (flow[i]) {
      case FLOW.STOP:
        return -1;
      case FLOW.INDIRECT:
        this.#obstacle = 'INDIRECT_JUMP';
        return -1;
      case FLOW.JUMP:
        return to;
      case FLOW.BRANCH: {
        const holds = this.#transfer.decide(i, this.#state);
        if (holds !== null) return holds ? to : after;
        this.#join(to, this.#state);
        return after;
      }
      case FLOW.CALL:
      case FLOW.POINT:
        this.#join(to, this.#start);
        break;
      default:
    }
    this.#transfer.apply(i, this.#state);
    if (flow[i] === FLOW.BOTH) this.#join(to, this.#state);
    return after;
  }

  #join(at: number, state: State): void {
    this.#budget.left -= 1 + Math.floor(state.kinds.length / CELLS_PER_STEP);
    if (this.#table.isFull) this.#obstacle = 'TOO_LARGE';
    else if (this.#table.merge(at, state)) this.#worklist.add(at);
  }
}
