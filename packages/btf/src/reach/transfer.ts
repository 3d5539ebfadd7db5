import { compare, compute } from './arithmetic.js';
import { type ControlFlow, FLOW, slotOf } from './control-flow.js';
import {
  accessSize,
  ALU,
  CLASS,
  FRAME,
  FROM_REGISTER,
  type Instructions,
  JUMP,
  LOAD_IMM64,
  LOAD_OF,
  MODE,
} from './instruction.js';
import type { Reference, VerifierTraits } from './program.js';
import type { ReadOnlyData } from './read-only-data.js';
import { REGISTERS, type State, VALUE } from './state.js';

/**
 * Transfer changes states as instructions do. It knows no more than every verifier does: a value that some verifier does
 * not compute becomes unknown.
 */
export class Transfer {
  constructor(
    private readonly instructions: Instructions,
    private readonly controlFlow: ControlFlow,
    private readonly references: ReadonlyMap<number, Reference>,
    private readonly verifier: VerifierTraits,
    private readonly data: ReadOnlyData,
  ) {}

  /** apply changes the state before an instruction to the one after it. Comparisons are {@link decide}d instead. */
  apply(i: number, state: State): void {
    const opcode = this.instructions.opcode[i] ?? 0;
    switch (opcode & 7) {
      case CLASS.ALU:
      case CLASS.ALU64:
        this.#arithmetic(i, opcode, state);
        return;
      case CLASS.LDX:
        this.#load(i, opcode, state);
        return;
      case CLASS.ST:
      case CLASS.STX:
        this.#store(i, opcode, state);
        return;
      case CLASS.LD:
        this.#loadSpecial(i, opcode, state);
        return;
      default:
        this.#jump(i, opcode, state);
    }
  }

  /**
   * decide returns whether the comparison of a branch holds, or null if it is unknown. Verifiers may narrow the range of a
   * number that is compared with an unknown value, and may lose the number on a path that is impossible, so it becomes
   * unknown.
   */
  decide(i: number, state: State): boolean | null {
    const { opcode, dst, src, immediate } = this.instructions;
    const code = opcode[i] ?? 0;
    const operation = code & 0xf0;
    const is32 = (code & 7) === CLASS.JMP32;
    const a = dst[i] ?? 0;
    const left = a < REGISTERS ? state.number(a) : null;
    if ((code & FROM_REGISTER) === 0) {
      const right = immediate[i] ?? 0;
      if (left !== null) return compare(operation, left, BigInt(right), is32);
      const isNullTest = right === 0 && !is32 && state.kinds[a] === VALUE.NOT_NULL && a < REGISTERS;
      if (isNullTest && operation === JUMP.JEQ) return false;
      return isNullTest && operation === JUMP.JNE ? true : null;
    }
    const b = src[i] ?? 0;
    const right = b < REGISTERS ? state.number(b) : null;
    if (left !== null && right !== null) return compare(operation, left, right, is32);
    if (left !== null) state.forget(a);
    if (right !== null) state.forget(b);
    return null;
  }

  #arithmetic(i: number, opcode: number, state: State): void {
    const { dst, src, offset, immediate } = this.instructions;
    const [to, from, off] = [dst[i] ?? 0, src[i] ?? 0, offset[i] ?? 0];
    if (to >= REGISTERS) return;
    const operation = opcode & 0xf0;
    const is32 = (opcode & 7) === CLASS.ALU;
    const isRegister = (opcode & FROM_REGISTER) !== 0;
    // An offset makes other operations of these: moves with sign extension and between address spaces.
    if (this.references.has(i) || off !== 0 || (isRegister && from >= REGISTERS)) {
      state.forget(to);
      return;
    }
    if (operation === ALU.MOV && isRegister && !is32) {
      state.copy(to, from);
      return;
    }
    const right = isRegister ? state.number(from) : BigInt(immediate[i] ?? 0);
    if (right === null) {
      state.forget(to);
    } else if (operation === ALU.MOV) {
      state.set(to, VALUE.NUMBER, is32 ? BigInt.asUintN(32, right) : right);
    } else if (state.kinds[to] === VALUE.DATA) {
      this.#moveAddress(to, operation, is32, right, state);
    } else {
      const left = state.number(to);
      const result = left === null ? null : compute(operation, left, right, is32, this.verifier.computesXor);
      if (result === null) state.forget(to);
      else state.set(to, VALUE.NUMBER, result);
    }
  }

  #moveAddress(cell: number, operation: number, is32: boolean, distance: bigint, state: State): void {
    if (is32 || (operation !== ALU.ADD && operation !== ALU.SUB)) {
      state.forget(cell);
      return;
    }
    const { section, offset } = placeOf(state, cell);
    const moved = BigInt(offset) + (operation === ALU.ADD ? distance : -distance);
    if (BigInt.asIntN(32, moved) === moved) setPlace(state, cell, section, Number(moved));
    else state.forget(cell);
  }

  #load(i: number, opcode: number, state: State): void {
    const { dst, src, offset } = this.instructions;
    const [to, from, off] = [dst[i] ?? 0, src[i] ?? 0, offset[i] ?? 0];
    if (to >= REGISTERS) return;
    const size = accessSize(opcode);
    if ((opcode & 0xe0) !== MODE.MEM) {
      state.forget(to);
    } else if (from === FRAME) {
      const cell = this.#slotCell(off);
      if (size === 8 && off % 8 === 0 && cell !== -1) state.copy(to, cell);
      else state.forget(to);
    } else if (from < REGISTERS && state.kinds[from] === VALUE.DATA) {
      const { section, offset: start } = placeOf(state, from);
      const value = this.data.load(section, start + off, size);
      if (value === null) state.forget(to);
      else state.set(to, VALUE.NUMBER, value);
    } else {
      state.forget(to);
    }
  }

  #store(i: number, opcode: number, state: State): void {
    const { dst, src, offset } = this.instructions;
    const [to, from, off] = [dst[i] ?? 0, src[i] ?? 0, offset[i] ?? 0];
    const mode = opcode & 0xe0;
    if (mode !== MODE.MEM) {
      // An atomic operation may write its operands and r0. Later modes may write anything.
      if (mode === MODE.ATOMIC) {
        for (const register of [0, to, from]) if (register < REGISTERS) state.forget(register);
        state.forgetStack();
      } else {
        state.forgetAll();
      }
      return;
    }
    const size = accessSize(opcode);
    if (to !== FRAME || off < -512 || off + size > 0) {
      state.forgetStack();
      return;
    }
    for (const at of [off, off + size - 1]) {
      const cell = this.#slotCell(at);
      if (cell !== -1) state.forget(cell);
    }
    // Older verifiers keep only registers that are stored as a whole.
    const isWhole = (opcode & 7) === CLASS.STX && size === 8 && off % 8 === 0 && from < REGISTERS;
    const cell = this.#slotCell(off);
    if (isWhole && cell !== -1) state.copy(cell, from);
  }

  #loadSpecial(i: number, opcode: number, state: State): void {
    const { dst, src, immediate } = this.instructions;
    if (opcode !== LOAD_IMM64) {
      const mode = opcode & 0xe0;
      if (mode === MODE.ABS || mode === MODE.IND) state.forgetCall();
      else state.forgetAll();
      return;
    }
    const to = dst[i] ?? 0;
    if (to >= REGISTERS) return;
    const reference = this.references.get(i);
    if (reference?.to === 'data') {
      setPlace(state, to, reference.section, reference.offset);
    } else if (reference?.to === 'absent') {
      state.set(to, VALUE.NUMBER, 0n);
    } else if (reference?.to === 'kfunc') {
      state.set(to, VALUE.NOT_NULL, 0n);
    } else if (reference === undefined && src[i] === LOAD_OF.CONSTANT) {
      const low = BigInt.asUintN(32, BigInt(immediate[i] ?? 0));
      state.set(to, VALUE.NUMBER, (BigInt(immediate[i + 1] ?? 0) << 32n) | low);
    } else {
      state.forget(to);
    }
  }

  #jump(i: number, opcode: number, state: State): void {
    const kind = opcode & 7;
    const operation = opcode & 0xf0;
    if (kind === CLASS.JMP && operation === JUMP.CALL) state.forgetCall();
    // A jump that later kernels may have.
    else if (this.controlFlow.flow[i] === FLOW.BOTH && operation !== JUMP.JCOND) state.forgetAll();
  }

  /** Returns the cell of the stack slot with an offset, or -1 if it has none. */
  #slotCell(offset: number): number {
    const slot = slotOf(offset);
    const index = slot === -1 ? -1 : (this.controlFlow.slots[slot] ?? -1);
    return index === -1 ? -1 : REGISTERS + index;
  }
}

function placeOf(state: State, cell: number): { section: number; offset: number } {
  const value = state.values[cell] ?? 0n;
  return { section: Number(value >> 32n), offset: Number(BigInt.asIntN(32, value)) };
}

function setPlace(state: State, cell: number, section: number, offset: number): void {
  state.set(cell, VALUE.DATA, (BigInt(section) << 32n) | BigInt.asUintN(32, BigInt(offset)));
}
