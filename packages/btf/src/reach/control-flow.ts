import {
  accessSize,
  CALL_OF,
  CLASS,
  FRAME,
  FROM_REGISTER,
  type Instructions,
  JUMP,
  LOAD_IMM64,
  LOAD_OF,
  MODE,
} from './instruction.js';
import type { ReachFunction, Reference } from './program.js';

/** FLOW says where the verifier continues after an instruction. */
export const FLOW = {
  /** At the next one. */
  NEXT: 0,
  /** Nowhere: the function ends, or the verifier refuses the program. */
  STOP: 1,
  /** At the target. */
  JUMP: 2,
  /** At the target or the next one, depending on a comparison. */
  BRANCH: 3,
  /** At the target and the next one. */
  BOTH: 4,
  /** At the next one. The target is a function that is called. */
  CALL: 5,
  /** At the next one. The target is a function that something may call later. */
  POINT: 6,
  /** At an instruction that a register determines. */
  INDIRECT: 7,
} as const;

/** Size of the stack of a function in slots of 8 bytes. */
export const STACK_SLOTS = 64;

/** ControlFlow has the paths through the instructions of a program. */
export interface ControlFlow {
  /** One of FLOW for each instruction. */
  readonly flow: Uint8Array;
  /** The target of each instruction, or -1. */
  readonly target: Int32Array;
  /** The next instruction in the same function, or -1. */
  readonly next: Int32Array;
  /** 1 for each instruction that several others may precede. */
  readonly isJoin: Uint8Array;
  /** The index of each stack slot among those that can hold a known value, or -1. */
  readonly slots: Int8Array;
  /** The number of slots that can hold a known value. */
  readonly slotCount: number;
}

/** controlFlowOf finds the paths through functions. Jumps out of their function lead nowhere: the verifier refuses them. */
export function controlFlowOf(
  instructions: Instructions,
  functions: readonly ReachFunction[],
  references: ReadonlyMap<number, Reference>,
): ControlFlow {
  const { count } = instructions;
  const flow = new Uint8Array(count);
  const target = new Int32Array(count).fill(-1);
  const next = new Int32Array(count).fill(-1);
  const isJoin = new Uint8Array(count);
  const starts = new Set(functions.map(({ start }) => start));
  for (const [f, { start }] of functions.entries()) {
    const end = Math.min(functions[f + 1]?.start ?? count, count);
    if (start < end) isJoin[start] = 1;
    for (let i = start; i < end; i++) {
      const step = stepOf(instructions, i, references.get(i));
      const length = instructions.opcode[i] === LOAD_IMM64 ? 2 : 1;
      // A function that does not end is refused, and so is half of a ld_imm64.
      if (i + length < end) next[i] = i + length;
      else if (continues(step.flow)) step.flow = FLOW.STOP;
      const isFunction = step.flow === FLOW.CALL || step.flow === FLOW.POINT;
      const isValid = isFunction ? starts.has(step.target) : step.target >= start && step.target < end;
      if (step.target !== -1 && isValid) {
        target[i] = step.target;
        isJoin[step.target] = 1;
      } else if (isFunction || jumps(step.flow)) {
        step.flow = FLOW.STOP;
      }
      flow[i] = step.flow;
    }
  }
  return { flow, target, next, isJoin, ...findSlots(instructions) };
}

/** slotOf returns the stack slot at an offset from the frame pointer, or -1. */
export function slotOf(offset: number): number {
  const slot = (offset + STACK_SLOTS * 8) >> 3;
  return slot >= 0 && slot < STACK_SLOTS ? slot : -1;
}

function continues(flow: number): boolean {
  return flow !== FLOW.STOP && flow !== FLOW.JUMP && flow !== FLOW.INDIRECT;
}

function jumps(flow: number): boolean {
  return flow === FLOW.JUMP || flow === FLOW.BRANCH || flow === FLOW.BOTH;
}

interface Step {
  flow: number;
  readonly target: number;
}

function stepOf(instructions: Instructions, i: number, reference: Reference | undefined): Step {
  const opcode = instructions.opcode[i] ?? 0;
  const kind = opcode & 7;
  if (opcode === LOAD_IMM64) {
    if (reference?.to === 'function') return { flow: FLOW.POINT, target: reference.start };
    return reference === undefined && instructions.src[i] === LOAD_OF.FUNCTION
      ? { flow: FLOW.POINT, target: i + 1 + (instructions.immediate[i] ?? 0) }
      : { flow: FLOW.NEXT, target: -1 };
  }
  if (kind !== CLASS.JMP && kind !== CLASS.JMP32) return { flow: FLOW.NEXT, target: -1 };
  const operation = opcode & 0xf0;
  const byOffset = i + 1 + (instructions.offset[i] ?? 0);
  const byImmediate = i + 1 + (instructions.immediate[i] ?? 0);
  if (operation === JUMP.JA) {
    if ((opcode & FROM_REGISTER) !== 0) return { flow: FLOW.INDIRECT, target: -1 };
    return { flow: FLOW.JUMP, target: kind === CLASS.JMP ? byOffset : byImmediate };
  }
  if (kind === CLASS.JMP && operation === JUMP.CALL) {
    if (reference?.to === 'throw') return { flow: FLOW.STOP, target: -1 };
    if (reference?.to === 'function') return { flow: FLOW.CALL, target: reference.start };
    const isCall = reference === undefined && instructions.src[i] === CALL_OF.FUNCTION;
    return isCall ? { flow: FLOW.CALL, target: byImmediate } : { flow: FLOW.NEXT, target: -1 };
  }
  if (kind === CLASS.JMP && operation === JUMP.EXIT) return { flow: FLOW.STOP, target: -1 };
  // `may_goto`, and jumps that later kernels may have, go both ways.
  const isComparison = operation <= JUMP.JSLE && operation !== JUMP.CALL && operation !== JUMP.EXIT;
  return { flow: isComparison ? FLOW.BRANCH : FLOW.BOTH, target: byOffset };
}

/** Numbers the slots that some instruction stores as a whole and another loads as a whole. No others need a value. */
function findSlots({ count, opcode, dst, src, offset }: Instructions): {
  slots: Int8Array;
  slotCount: number;
} {
  const uses = new Uint8Array(STACK_SLOTS);
  for (let i = 0; i < count; i++) {
    const code = opcode[i] ?? 0;
    if ((code & 0xe0) !== MODE.MEM || accessSize(code) !== 8) continue;
    const slot = slotOf(offset[i] ?? 0);
    if (slot === -1) continue;
    const kind = code & 7;
    if (kind === CLASS.STX && dst[i] === FRAME) uses[slot] = (uses[slot] ?? 0) | 1;
    if (kind === CLASS.LDX && src[i] === FRAME) uses[slot] = (uses[slot] ?? 0) | 2;
  }
  const slots = new Int8Array(STACK_SLOTS).fill(-1);
  let slotCount = 0;
  for (const [slot, use] of uses.entries()) if (use === 3) slots[slot] = slotCount++;
  return { slots, slotCount };
}
