import { followCertain } from './always.js';
import { controlFlowOf } from './control-flow.js';
import { follow, type Followed, type Obstacle, type PreparedProgram, type StepBudget } from './follow.js';
import { decodeInstructions } from './instruction.js';
import type { ReachFunction, ReachProgram } from './program.js';

/**
 * Reach says whether the verifier comes to an instruction:
 *
 * - `NEVER`: no, by the relocations for this kernel alone;
 * - `NEVER_AS_INITIALIZED`: no, if read-only variables have the values that were given;
 * - `MAYBE`: there is a branch before it that cannot be decided here;
 * - `ALWAYS`: yes, unless the verifier refuses the program before.
 */
export type Reach = 'NEVER' | 'NEVER_AS_INITIALIZED' | 'MAYBE' | 'ALWAYS';

/** ReachOf is the reach of an instruction. */
export interface ReachOf {
  readonly reach: Reach;
  /** The indexes of the read-only variables that `NEVER_AS_INITIALIZED` depends on, in ascending order. */
  readonly variables: readonly number[];
}

/** ReachResult is the result of {@link reachSteps}. */
export interface ReachResult {
  /** The reach of each instruction that was poisoned or asked for. */
  readonly instructions: ReadonlyMap<number, ReachOf>;
  /** The reason why every instruction counts as `MAYBE`, or why those that a run could not judge do; null if there is none. */
  readonly obstacle: Obstacle | null;
}

/** REACH_STEPS is the number of steps for all programs of an object: about a second. */
export const REACH_STEPS = 20_000_000;

/** The most read-only variables of which each is left out once, to see whether a proof needs it. */
const MAX_VARIABLES = 32;

/**
 * reachSteps finds out whether the verifier of a kernel comes to the poisoned and other instructions of a program. It
 * yields after a few milliseconds of work each, and returns the result.
 *
 * A path ends at a poisoned instruction. `NEVER` and `NEVER_AS_INITIALIZED` are proven: where all paths bring the same
 * values to a branch, each path of the verifier does, and the verifier does not explore the other side. A program without
 * CAP_PERFMON is the exception, as older verifiers also explore it speculatively.
 *
 * @param budget the steps that are left for this program and later ones. Steps that were taken are subtracted. When there
 *   are none, the instructions that are not judged yet count as `MAYBE`.
 */
export function* reachSteps(
  program: ReachProgram,
  budget: StepBudget = { left: REACH_STEPS },
): Generator<null, ReachResult, void> {
  const asked = [...new Set([...program.poisoned, ...program.asked])];
  const answers = new Map<number, ReachOf>();
  const prepared = prepare(program);
  const relocated = yield* follow(prepared, () => false, budget);
  if (relocated.obstacle !== null) {
    for (const i of asked) answers.set(i, { reach: 'MAYBE', variables: [] });
    return { instructions: answers, obstacle: relocated.obstacle };
  }
  const initialized = yield* follow(prepared, () => true, budget);
  const guarded: number[] = [];
  const certain = yield* followCertain(prepared, budget);
  for (const i of asked) {
    if (relocated.reached[i] !== 1) answers.set(i, { reach: 'NEVER', variables: [] });
    else if (initialized.obstacle === null && initialized.reached[i] !== 1) guarded.push(i);
    else answers.set(i, { reach: certain[i] === 1 ? 'ALWAYS' : 'MAYBE', variables: [] });
  }
  for (const [i, variables] of yield* proofsOf(prepared, guarded, initialized, budget))
    answers.set(i, { reach: 'NEVER_AS_INITIALIZED', variables });
  return { instructions: answers, obstacle: initialized.obstacle };
}

/** reachOf is {@link reachSteps} without pauses. */
export function reachOf(program: ReachProgram, budget?: StepBudget): ReachResult {
  const steps = reachSteps(program, budget);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

function prepare(program: ReachProgram): PreparedProgram {
  const instructions = decodeInstructions(program.code, program.byteOrder);
  const { functions, references, variables, verifier } = program;
  const startsOf = (isWanted: (own: ReachFunction) => boolean): ReadonlySet<number> =>
    new Set(
      functions.filter((own) => isWanted(own) && own.start < instructions.count).map((own) => own.start),
    );
  return {
    program,
    instructions,
    controlFlow: controlFlowOf(instructions, functions, references),
    variables: verifier.readsData ? variables : [],
    globals: startsOf(({ isGlobal }) => isGlobal),
    entries: startsOf(({ isEntry = false, start }) => isEntry || start === 0),
  };
}

/**
 * Finds the variables that the proof for each guarded instruction needs: those without which it would be reached. If these
 * do not suffice, because one of several variables does, or if there is no budget to see, it takes all that were read.
 */
function* proofsOf(
  prepared: PreparedProgram,
  guarded: readonly number[],
  initialized: Followed,
  budget: StepBudget,
): Generator<null, Map<number, readonly number[]>, void> {
  const all = [...initialized.read].toSorted((a, b) => a - b);
  const proofs = new Map(guarded.map((i): [number, readonly number[]] => [i, all]));
  if (guarded.length === 0 || all.length < 2 || all.length > MAX_VARIABLES) return proofs;
  const needed = new Map(guarded.map((i): [number, number[]] => [i, []]));
  for (const left of all) {
    const without = yield* follow(
      prepared,
      (variable) => variable !== left && all.includes(variable),
      budget,
    );
    if (without.obstacle !== null) return proofs;
    for (const [i, variables] of needed) if (without.reached[i] === 1) variables.push(left);
  }
  for (const variables of distinct(needed.values())) {
    const known = yield* follow(prepared, (variable) => variables.includes(variable), budget);
    if (known.obstacle !== null) return proofs;
    for (const [i, own] of needed)
      if (own.join() === variables.join() && known.reached[i] !== 1) proofs.set(i, variables);
  }
  return proofs;
}

function distinct(lists: Iterable<readonly number[]>): readonly (readonly number[])[] {
  return [...new Map([...lists].map((list) => [list.join(), list])).values()];
}
