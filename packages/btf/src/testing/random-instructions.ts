import type { Random } from 'test-tools/random';
import type { ProgramAssembler } from './assemble-program.js';

/** Parts of opcodes, which the kernel's documentation of the instruction set names. */
export const ALU32 = 0x04;
export const ALU64 = 0x07;
export const X = 0x08;
export const MOV = 0xb0;
export const OPERATIONS = [0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xc0];
export const COMPARISONS = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0];
export const SIZES = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const;
const NUMBERS = [0, 1, -1, 2, 3, 5, 8, 31, 32, 63, 64, 255, 256, 0x7fffffff, -0x80000000, -2, 0x10000];
export const WIDE_NUMBERS = [
  0n,
  1n,
  -1n,
  0xffff_ffffn,
  0x1_0000_0000n,
  1n << 63n,
  0x8000_0000n,
  -0x8000_0000n,
];

/** Registers that statements may change. r6 has a pointer: to the context, or to the stack of the caller. */
export const FREE = [0, 1, 2, 3, 4, 5, 7, 8, 9];
const CLOBBERED = [1, 2, 3, 4, 5];
export const SLOTS = 4;

/** RandomInstructions makes random choices, and writes instructions with random operands. */
export class RandomInstructions {
  constructor(
    private readonly random: Random,
    private readonly asm: ProgramAssembler,
  ) {}

  /** below returns a number below a bound. */
  below(bound: number): number {
    return this.random(bound);
  }

  /** chance is true in one of so many cases. */
  chance(of: number): boolean {
    return this.random(of) === 0;
  }

  /** pick returns one of a list. @throws Error if the list is empty. */
  pick<T>(list: readonly T[]): T {
    const item = list[this.random(list.length)];
    if (item === undefined) throw new Error('cannot pick from an empty list');
    return item;
  }

  /** number returns an immediate: mostly one at which something changes. */
  number(): number {
    return this.chance(5) ? this.random(0x7fffffff) : this.pick(NUMBERS);
  }

  /** A register to read. */
  source(): number {
    return this.pick(FREE);
  }

  slot(): number {
    return -8 * (1 + this.below(SLOTS));
  }

  constant(register: number): void {
    const choice = this.below(4);
    if (choice === 0) this.asm.load64(register, this.pick(WIDE_NUMBERS));
    else this.asm.add((choice === 1 ? ALU32 : ALU64) | MOV, register, 0, 0, this.number());
  }

  callHelper(helper: number): void {
    this.asm.add(0x85, 0, 0, 0, helper);
    this.afterCall();
  }

  afterCall(): void {
    for (const register of CLOBBERED) {
      if (this.chance(2)) this.constant(register);
      else this.asm.add(this.pick([ALU32, ALU64]) | MOV | X, register, this.pick([0, 7, 8, 9]));
    }
  }

  /** Gives a register the address of a stack slot. */
  pointer(register: number, slot: number): void {
    this.asm.add(ALU64 | MOV | X, register, 10);
    this.asm.add(ALU64, register, 0, 0, slot);
  }
}
