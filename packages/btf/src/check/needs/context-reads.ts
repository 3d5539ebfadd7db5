import { Instructions, LOAD_64 } from '../../object/instructions.js';
import { accessSize, ALU, CLASS, FROM_REGISTER, JUMP, MODE } from '../../reach/instruction.js';
import type { LinkedProgram } from '../link.js';

const WORD = 8;
/** The register with the context when the program begins. */
const CONTEXT = 1;
/** Registers that a call changes: 0 to this one. */
const LAST_CALLER_SAVED = 5;

/**
 * contextReads returns the index of the highest word of its context that a program reads for sure: before its first
 * branch.
 *
 * @returns -1 if it reads none.
 */
export function contextReads({ root, code, byteOrder }: LinkedProgram): number {
  const instructions = new Instructions(code, byteOrder);
  const holders = new Set([CONTEXT]);
  let highest = -1;
  for (let i = 0; i < root.count; i++) {
    const instruction = instructions.at(i);
    if (instruction === null) break;
    const { opcode, dst, src, offset } = instruction;
    switch (opcode & 7) {
      case CLASS.LDX:
        if ((opcode & 0xe0) === MODE.MEM && holders.has(src) && accessSize(opcode) === WORD && offset >= 0) {
          highest = Math.max(highest, Math.floor(offset / WORD));
        }
        holders.delete(dst);
        break;
      case CLASS.ALU64:
        // A move of a whole register, without sign extension.
        if (opcode === (CLASS.ALU64 | ALU.MOV | FROM_REGISTER) && offset === 0 && holders.has(src))
          holders.add(dst);
        else holders.delete(dst);
        break;
      case CLASS.ALU:
        holders.delete(dst);
        break;
      case CLASS.STX:
        // Atomic operations may return a value in either register.
        if ((opcode & 0xe0) === MODE.ATOMIC) for (const register of [0, src]) holders.delete(register);
        break;
      case CLASS.LD:
        if (opcode !== LOAD_64) return highest;
        holders.delete(dst);
        i++;
        break;
      case CLASS.ST:
        break;
      default:
        if (opcode !== (CLASS.JMP | JUMP.CALL)) return highest;
        for (let register = 0; register <= LAST_CALLER_SAVED; register++) holders.delete(register);
    }
  }
  return highest;
}
