import { FLOW } from './control-flow.js';
import { type PreparedProgram, type StepBudget, STEPS_PER_YIELD } from './follow.js';
import { ReadOnlyData } from './read-only-data.js';
import { State } from './state.js';
import { Transfer } from './transfer.js';

/** The deepest nesting of calls: the kernel's MAX_CALL_FRAMES. */
const MAX_FRAMES = 8;

/** The most steps from one start: the verifier's own limit, BPF_COMPLEXITY_LIMIT_INSNS. */
const MAX_STEPS = 1_000_000;

/**
 * followCertain marks the instructions that the verifier reaches whatever it finds out: those before the first branch that
 * cannot be decided. It uses no read-only variable that user space can set.
 *
 * @returns 1 for each such instruction. The verifier may refuse the program at an earlier one.
 */
export function* followCertain(
  prepared: PreparedProgram,
  budget: StepBudget,
): Generator<null, Uint8Array, void> {
  const { program, instructions, globals, entries } = prepared;
  const certain = new Uint8Array(instructions.count);
  const starts = new Set(entries);
  if (program.verifier.checksAllGlobals) for (const start of globals) starts.add(start);
  const path = new CertainPath(prepared, certain, starts, budget);
  // A set iterates over what is added meanwhile.
  for (const start of starts) yield* path.walk(start);
  return certain;
}

class CertainPath {
  readonly #transfer: Transfer;

  constructor(
    private readonly prepared: PreparedProgram,
    private readonly certain: Uint8Array,
    /** The functions to walk from. Global functions are added when they are called. */
    private readonly starts: Set<number>,
    private readonly budget: StepBudget,
  ) {
    const { program, instructions, controlFlow, variables } = prepared;
    const data = new ReadOnlyData(variables, program.byteOrder, () => false);
    this.#transfer = new Transfer(instructions, controlFlow, program.references, program.verifier, data);
  }

  /** Walks from the start of a function until the path ends or is uncertain. */
  *walk(start: number): Generator<null, void, void> {
    const { program, instructions, controlFlow, globals } = this.prepared;
    const { flow, target, next } = controlFlow;
    const callers: { readonly after: number; readonly state: State }[] = [];
    let state = new State(controlFlow.slotCount);
    let at = start;
    for (let steps = 0; steps < MAX_STEPS && at !== -1; steps++) {
      if (steps % STEPS_PER_YIELD === STEPS_PER_YIELD - 1) yield null;
      this.budget.left -= 1;
      if (this.budget.left < 0) return;
      this.certain[at] = 1;
      if (program.poisoned.has(at)) return;
      const to = target[at] ?? -1;
      const after = next[at] ?? -1;
      switch (flow[at]) {
        case FLOW.JUMP:
          at = to;
          continue;
        case FLOW.BRANCH: {
          const holds = this.#transfer.decide(at, state);
          if (holds === null) return;
          at = holds ? to : after;
          continue;
        }
        case FLOW.CALL:
          if (globals.has(to)) {
            this.starts.add(to);
            break;
          }
          if (callers.length + 1 >= MAX_FRAMES) return;
          this.#transfer.apply(at, state);
          callers.push({ after, state });
          // Nothing is known of the arguments either. That may end the path earlier than the verifier would.
          state = new State(controlFlow.slotCount);
          at = to;
          continue;
        case FLOW.STOP: {
          const caller = isExit(instructions.opcode[at]) ? callers.pop() : undefined;
          if (caller === undefined) return;
          ({ after: at, state } = caller);
          continue;
        }
        case FLOW.BOTH:
        case FLOW.INDIRECT:
          return;
        default:
      }
      this.#transfer.apply(at, state);
      at = after;
    }
  }
}

function isExit(opcode: number | undefined): boolean {
  return opcode === 0x95;
}
