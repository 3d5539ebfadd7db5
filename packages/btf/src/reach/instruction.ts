import type { ByteOrder } from '../header.js';

/** Size of an instruction in bytes. `ld_imm64` takes two. */
export const INSTRUCTION_SIZE = 8;

/** FRAME is the register that points to the stack. Programs cannot write it. */
export const FRAME = 10;

/** CLASS has the classes of opcodes, in their low three bits. */
export const CLASS = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;

/** MODE has the modes of loads and stores, in the high three bits of the opcode. */
export const MODE = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, ATOMIC: 0xc0 } as const;

/** ALU has the operations of arithmetic, in the high four bits of the opcode. */
export const ALU = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
} as const;

/** JUMP has the operations of jumps, in the high four bits of the opcode. */
export const JUMP = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
  JCOND: 0xe0,
} as const;

/** The bit of an opcode which says that the second operand is a register, not the immediate. */
export const FROM_REGISTER = 0x08;

/** The opcode of `ld_imm64`. */
export const LOAD_IMM64 = 0x18;

/** CALL_OF has the kinds of calls, in the source register of a call. */
export const CALL_OF = { HELPER: 0, FUNCTION: 1 } as const;

/** LOAD_OF has the kinds of `ld_imm64`, in its source register. */
export const LOAD_OF = { CONSTANT: 0, FUNCTION: 4 } as const;

/** The size of an access in bytes, by bits 3 and 4 of the opcode. */
const ACCESS_SIZES = [4, 2, 1, 8];

export function accessSize(opcode: number): number {
  return ACCESS_SIZES[(opcode >> 3) & 3] ?? 8;
}

/** Instructions are decoded instructions: one array per field. */
export interface Instructions {
  readonly count: number;
  readonly opcode: Uint8Array;
  readonly dst: Uint8Array;
  readonly src: Uint8Array;
  readonly offset: Int16Array;
  readonly immediate: Int32Array;
}

/** decodeInstructions decodes instructions in a byte order. Bytes after the last whole instruction are ignored. */
export function decodeInstructions(bytes: Uint8Array, order: ByteOrder): Instructions {
  const isLittle = order === 'little';
  const count = Math.floor(bytes.length / INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const instructions = {
    count,
    opcode: new Uint8Array(count),
    dst: new Uint8Array(count),
    src: new Uint8Array(count),
    offset: new Int16Array(count),
    immediate: new Int32Array(count),
  };
  for (let i = 0, at = 0; i < count; i++, at += INSTRUCTION_SIZE) {
    instructions.opcode[i] = view.getUint8(at);
    // The registers are bitfields of one byte, whose order is that of the bytes.
    const registers = view.getUint8(at + 1);
    instructions.dst[i] = isLittle ? registers & 15 : registers >> 4;
    instructions.src[i] = isLittle ? registers >> 4 : registers & 15;
    instructions.offset[i] = view.getInt16(at + 2, isLittle);
    instructions.immediate[i] = view.getInt32(at + 4, isLittle);
  }
  return instructions;
}
