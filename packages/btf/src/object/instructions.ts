import type { ByteOrder } from '../header.js';

/** INSTRUCTION_LENGTH is the size of a BPF instruction in bytes. One with a constant of 64 bits takes two. */
export const INSTRUCTION_LENGTH = 8;

/** InstructionClass has the lowest three bits of an opcode. */
export const InstructionClass = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;

/** LOAD_64 is the opcode that loads a constant of 64 bits, in two instructions. */
export const LOAD_64 = 0x18;

/** CALL is the opcode of a call. The source register says of what. */
export const CALL = 0x85;

/** PSEUDO_CALL is the source register of a call of a subprogram. */
export const PSEUDO_CALL = 1;

/** Instruction is one BPF instruction. */
export interface Instruction {
  readonly opcode: number;
  /** Destination and source register. */
  readonly dst: number;
  readonly src: number;
  /** Signed, of 16 bits. */
  readonly offset: number;
  /** The constant: signed, of 32 bits. */
  readonly immediate: number;
}

/** Instructions reads and writes BPF instructions in place. */
export class Instructions {
  /** The number of instructions. */
  readonly count: number;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  /** @param bytes whole instructions in a byte order. */
  constructor(bytes: Uint8Array, order: ByteOrder) {
    this.count = Math.floor(bytes.length / INSTRUCTION_LENGTH);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = order === 'little';
  }

  /** opcodeAt returns the opcode of an instruction, which costs much less than all of it; 0 if there is none. */
  opcodeAt(index: number): number {
    return index < 0 || index >= this.count ? 0 : this.#view.getUint8(index * INSTRUCTION_LENGTH);
  }

  /** @returns null if there is no such instruction. */
  at(index: number): Instruction | null {
    if (index < 0 || index >= this.count) return null;
    const at = index * INSTRUCTION_LENGTH;
    const registers = this.#view.getUint8(at + 1);
    const [low, high] = [registers & 0xf, registers >>> 4];
    return {
      opcode: this.#view.getUint8(at),
      dst: this.#littleEndian ? low : high,
      src: this.#littleEndian ? high : low,
      offset: this.#view.getInt16(at + 2, this.#littleEndian),
      immediate: this.#view.getInt32(at + 4, this.#littleEndian),
    };
  }

  /** set replaces an instruction. */
  set(index: number, { opcode, dst, src, offset, immediate }: Instruction): void {
    const at = index * INSTRUCTION_LENGTH;
    this.#view.setUint8(at, opcode);
    this.#view.setUint8(at + 1, this.#littleEndian ? dst | (src << 4) : src | (dst << 4));
    this.#view.setInt16(at + 2, offset, this.#littleEndian);
    this.#view.setInt32(at + 4, immediate, this.#littleEndian);
  }
}
