import type { Random } from 'test-tools/random';
import { type Label, ProgramAssembler } from './assemble-program.js';

/** The number that the call of a poisoned instruction has in libbpf. Ours count up from it, to tell them apart. */
export const POISON = 0xbad2310;

/** RandomProgram is a program that the kernel accepts but for its poisoned instructions, and rarely for other reasons. */
export interface RandomProgram {
  readonly code: Uint8Array;
  readonly functions: readonly { readonly start: number; readonly isGlobal: boolean }[];
  /** The instructions that load an address in read-only data, with the offset. */
  readonly data: ReadonlyMap<number, number>;
  /** The poisoned instructions. Their immediates are {@link POISON} plus the index. */
  readonly poisoned: readonly number[];
}

/** RandomProgramOptions says what the program may contain. */
export interface RandomProgramOptions {
  /** The most instructions. */
  readonly size: number;
  /** The length of the read-only data and of the other data, in bytes. */
  readonly dataSize: number;
  /** Whether it may have instructions that Linux 6.1 does not have. */
  readonly isModern: boolean;
}

type Kind = 'main' | 'static' | 'callback' | 'global';

interface Func {
  readonly label: Label;
  readonly kind: Kind;
}

/** Registers that statements may change. r6 has a pointer: to the context, or to the stack of the caller. */
const FREE = [0, 1, 2, 3, 4, 5, 7, 8, 9];
const CLOBBERED = [1, 2, 3, 4, 5];
const SLOTS = 4;
const FUNCTIONS = 4;

const ALU32 = 0x04;
const ALU64 = 0x07;
const X = 0x08;
const MOV = 0xb0;
const OPERATIONS = [0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xc0];
const COMPARISONS = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0];
const SIZES = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const;
const NUMBERS = [0, 1, -1, 2, 3, 5, 8, 31, 32, 63, 64, 255, 256, 0x7fffffff, -0x80000000, -2, 0x10000];
const WIDE_NUMBERS = [0n, 1n, -1n, 0xffff_ffffn, 0x1_0000_0000n, 1n << 63n, 0x8000_0000n, -0x8000_0000n];

/** randomProgram makes a program with branches, loops, calls and poisoned instructions. */
export function randomProgram(random: Random, options: RandomProgramOptions): RandomProgram {
  return new ProgramMaker(random, options).make();
}

class ProgramMaker {
  readonly #asm = new ProgramAssembler();
  readonly #functions: Func[] = [{ label: Symbol('main'), kind: 'main' }];
  readonly #data = new Map<number, number>();
  readonly #poisoned: number[] = [];
  /** Registers that hold the counters of loops. */
  readonly #counters = new Set<number>();
  #current = 0;
  #depth = 0;
  /** Loops multiply the paths, and with them the time that the kernel takes. */
  #hasLoop = false;

  constructor(
    private readonly random: Random,
    private readonly options: RandomProgramOptions,
  ) {}

  make(): RandomProgram {
    // Functions are added while others are made.
    for (this.#current = 0; this.#current < this.#functions.length; this.#current++) this.#function();
    return {
      code: this.#asm.bytes(),
      functions: this.#functions.map(({ label, kind }) => ({
        start: this.#asm.placeOf(label),
        isGlobal: kind === 'global',
      })),
      data: this.#data,
      poisoned: this.#poisoned,
    };
  }

  get #kind(): Kind {
    return this.#functions[this.#current]?.kind ?? 'main';
  }

  #pick<T>(list: readonly T[]): T {
    const item = list[this.random(list.length)];
    if (item === undefined) throw new Error('an empty list');
    return item;
  }

  #chance(of: number): boolean {
    return this.random(of) === 0;
  }

  /** A register to write. */
  #target(): number {
    return this.#pick(FREE.filter((register) => !this.#counters.has(register)));
  }

  /** A register to read. */
  #source(): number {
    return this.#pick(FREE);
  }

  #slot(): number {
    return -8 * (1 + this.random(SLOTS));
  }

  #number(): number {
    return this.#chance(5) ? this.random(0x7fffffff) : this.#pick(NUMBERS);
  }

  #function(): void {
    const { label, kind } = this.#functions[this.#current] ?? { label: Symbol('none'), kind: 'static' };
    this.#asm.here(label);
    // A callback has the pointer as its second argument, a global function has none.
    if (kind === 'global') this.#asm.add(ALU64 | MOV, 6, 0, 0, 0);
    else this.#asm.add(ALU64 | MOV | X, 6, kind === 'callback' ? 2 : 1);
    const isArgument = (register: number): boolean =>
      (kind === 'static' && (register === 2 || register === 3)) ||
      ((kind === 'global' || kind === 'callback') && register === 1);
    for (const register of FREE) if (!isArgument(register)) this.#constant(register);
    for (let slot = 1; slot <= SLOTS; slot++) this.#asm.add(0x7b, 10, this.#source(), -8 * slot);
    // Half of the instructions are the program's, and the functions share the others.
    const share = this.options.size / (this.#current === 0 ? 2 : 8);
    const end = this.#asm.count + share;
    if (isArgument(1)) this.#probe(1);
    if (isArgument(2)) this.#probe(2);
    while (this.#asm.count < end) this.#statement();
    this.#asm.add(ALU64 | MOV, 0, 0, 0, kind === 'callback' ? this.random(2) : 0);
    this.#asm.add(0x95);
  }

  #statement(): void {
    const choice = this.random(36);
    if (choice < 9) this.#arithmetic();
    else if (choice < 11) this.#constant(this.#target());
    else if (choice < 13) this.#unknown();
    else if (choice < 15) this.#load();
    else if (choice < 17) this.#stack();
    else if (choice < 22) this.#disturbed();
    else if (choice < 25) this.#call();
    else if (choice < 32) this.#branch();
    else if (choice < 34) this.#loop();
    else this.#special();
  }

  /** Reaches a poisoned instruction if a register has a number, which it rarely has. Only a known value excludes that. */
  #probe(register: number): void {
    const after: Label = Symbol('after');
    const opcode = this.#chance(3) ? this.#pick(COMPARISONS) : 0x50;
    this.#asm.jump(opcode | this.#pick([5, 6]), register, { immediate: this.#number() }, after);
    this.#poison();
    this.#asm.here(after);
  }

  #constant(register: number): void {
    const choice = this.random(4);
    if (choice === 0) this.#asm.load64(register, this.#pick(WIDE_NUMBERS));
    else this.#asm.add((choice === 1 ? ALU32 : ALU64) | MOV, register, 0, 0, this.#number());
  }

  #arithmetic(): void {
    const [to, width] = [this.#target(), this.#pick([ALU32, ALU64])];
    const operation = this.#pick([...OPERATIONS, MOV, 0x30, 0x90]);
    const choice = this.random(12);
    if (choice === 0) {
      // Negation and byte swaps.
      if (this.#chance(2)) this.#asm.add(0x80 | width, to);
      else this.#asm.add(this.#pick([0xd4, 0xdc]), to, 0, 0, this.#pick([16, 32, 64]));
    } else if (choice === 1 && this.options.isModern) {
      // A move with sign extension.
      this.#asm.add(MOV | X | width, to, this.#source(), this.#pick([8, 16]));
    } else if (this.#chance(2)) {
      this.#asm.add(operation | X | width, to, this.#source());
    } else {
      const isShift = operation === 0x60 || operation === 0x70 || operation === 0xc0;
      const isDivision = operation === 0x30 || operation === 0x90;
      const number = isShift ? this.random(width === ALU32 ? 32 : 64) : this.#number();
      this.#asm.add(operation | width, to, 0, 0, isDivision && number === 0 ? 3 : number);
    }
    if (this.#chance(3)) this.#probe(to);
  }

  /** Gives a register a value that the verifier does not know. */
  #unknown(): void {
    const to = this.#target();
    if (this.#chance(2)) {
      this.#address(to, 2);
      const size = this.#pick([1, 2, 4, 8] as const);
      this.#asm.add(0x61 | SIZES[size], to, to, 0);
    } else {
      this.#callHelper(7);
      if (this.#chance(2)) this.#asm.add(ALU64 | MOV | X, to, 0);
      if (this.#chance(2)) this.#asm.add(ALU64 | 0x50, 0, 0, 0, this.#pick([1, 3, 0xff]));
    }
  }

  /** Loads an address in the data of a map: 1 is read-only. */
  #address(to: number, map: number): number {
    const offset = 8 * this.random(this.options.dataSize / 8);
    const at = this.#asm.load64(to, (BigInt(offset) << 32n) | BigInt(map), 2);
    if (map === 1) this.#data.set(at, offset);
    return offset;
  }

  /** Loads from read-only data, also by an address that depends on the path, or was moved or stored meanwhile. */
  #load(): void {
    const to = this.#target();
    const end: Label = Symbol('end');
    if (this.#chance(4)) {
      const other: Label = Symbol('other');
      this.#condition(other);
      this.#address(to, 1);
      this.#asm.jump(0x05, 0, {}, end);
      this.#asm.here(other);
    }
    const offset = this.#address(to, 1);
    this.#asm.here(end);
    if (this.#chance(4)) {
      const slot = this.#slot();
      this.#asm.add(0x7b, 10, to, slot);
      this.#asm.add(0x79, to, 10, slot);
      this.#asm.add(0x7a, 10, 0, slot, this.#number());
    }
    // The other address may be smaller or larger.
    const isMoved = this.#chance(3);
    if (isMoved && offset >= 8) {
      this.#asm.add(ALU64 | 0x10, to, 0, 0, 4);
      this.#asm.add(ALU64, to, 0, 0, 4);
    }
    const size = this.#pick([1, 2, 4, 8] as const);
    const isSigned = this.options.isModern && size < 8 && this.#chance(4);
    this.#asm.add((isSigned ? 0x81 : 0x61) | SIZES[size], to, to, size * this.random(8 / size));
    if (this.#chance(2)) this.#probe(to);
  }

  #stack(): void {
    const slot = this.#slot();
    const choice = this.random(8);
    if (choice < 3) this.#asm.add(0x7b, 10, this.#source(), slot);
    else if (choice < 6) this.#asm.add(0x79, this.#target(), 10, slot);
    else {
      const size = this.#pick([1, 2, 4, 8] as const);
      const at = slot + size * this.random(8 / size);
      if (this.#chance(3)) this.#asm.add(0x61 | SIZES[size], this.#target(), 10, at);
      else if (this.#chance(2)) this.#asm.add(0x62 | SIZES[size], 10, 0, at, this.#number());
      else this.#asm.add(0x63 | SIZES[size], 10, this.#source(), at);
    }
  }

  /** Stores a register, changes the stack slot in some way, and loads it again. */
  #disturbed(): void {
    const slot = this.#slot();
    if (!this.#chance(3)) this.#asm.add(0x7b, 10, this.#source(), slot);
    const value = this.#source();
    const choice = this.random(7);
    if (choice === 0) {
      // add, or with fetch, xchg, cmpxchg
      const operation = this.#pick([0x00, 0x41, 0xe1, 0xf1]);
      const operand = this.#target();
      this.#asm.add(0xdb, 10, operand, slot, operation);
      if (this.#chance(2)) this.#probe(operand);
    } else if (choice === 1) {
      const size = this.#pick([1, 2, 4] as const);
      this.#asm.add(0x63 | SIZES[size], 10, value, slot + size * this.random(8 / size));
    } else if (choice === 2) {
      const size = this.#pick([1, 2, 4, 8] as const);
      this.#asm.add(0x62 | SIZES[size], 10, 0, slot + size * this.random(8 / size), this.#number());
    } else if (choice === 3) {
      this.#call(slot);
    } else if (choice < 6) {
      const pointer = this.#target();
      this.#pointer(pointer, slot);
      if (value === pointer) this.#asm.add(0x7a, pointer, 0, 0, this.#number());
      else this.#asm.add(0x7b, pointer, value, 0);
      this.#constant(pointer);
    }
    const to = this.#target();
    this.#asm.add(0x79, to, 10, slot);
    if (!this.#chance(3)) this.#probe(to);
  }

  #callHelper(helper: number): void {
    this.#asm.add(0x85, 0, 0, 0, helper);
    this.#afterCall();
  }

  #afterCall(): void {
    for (const register of CLOBBERED) {
      if (this.#chance(2)) this.#constant(register);
      else this.#asm.add(this.#pick([ALU32, ALU64]) | MOV | X, register, this.#pick([0, 7, 8, 9]));
    }
  }

  /** Returns a later function of a kind: an earlier one could call itself. */
  #callee(kind: Kind): Func | undefined {
    const later = this.#functions.slice(this.#current + 1).filter((f) => f.kind === kind);
    const hasRoom = this.#functions.length < FUNCTIONS && this.#asm.count < this.options.size * 0.7;
    if (later.length > 0 && (!hasRoom || this.#chance(2))) return this.#pick(later);
    if (!hasRoom) return undefined;
    const made: Func = { label: Symbol(kind), kind };
    this.#functions.push(made);
    return made;
  }

  /** Calls a function with the address of a stack slot. */
  #call(slot = this.#slot()): void {
    const choice = this.random(6);
    if (choice === 0 && this.#kind === 'main') {
      // bpf_skb_load_bytes writes to the stack.
      this.#asm.add(ALU64 | MOV | X, 1, 6);
      this.#asm.add(ALU64 | MOV, 2, 0, 0, 0);
      this.#pointer(3, slot);
      this.#asm.add(ALU64 | MOV, 4, 0, 0, 8);
      this.#callHelper(26);
      return;
    }
    const kind = choice === 1 ? 'callback' : choice === 2 ? 'global' : 'static';
    const callee = kind === 'callback' && this.#hasLoop ? undefined : this.#callee(kind);
    if (callee === undefined) return;
    if (kind === 'callback') {
      this.#hasLoop = true;
      // Linux 6.18 reports a bug of its own for no iterations: it removes the callback, not its address.
      this.#asm.add(ALU64 | MOV, 1, 0, 0, 1 + this.random(3));
      this.#asm.add(0x18, 2, 4, 0, callee.label);
      this.#asm.add(0);
      this.#pointer(3, slot);
      this.#asm.add(ALU64 | MOV, 4, 0, 0, 0);
      this.#callHelper(181);
      return;
    }
    if (kind === 'static') this.#pointer(1, slot);
    this.#asm.call(callee.label);
    this.#afterCall();
  }

  /** Gives a register the address of a stack slot. */
  #pointer(register: number, slot: number): void {
    this.#asm.add(ALU64 | MOV | X, register, 10);
    this.#asm.add(ALU64, register, 0, 0, slot);
  }

  /** Jumps to a label if a random condition does not hold, and else continues. */
  #condition(otherwise: Label): void {
    const opcode = this.#pick(COMPARISONS) | this.#pick([5, 6]);
    if (this.#chance(12) && this.#kind !== 'global') {
      // A pointer.
      this.#asm.jump(this.#pick([0x15, 0x55]), 6, { immediate: this.#pick([0, 0, 5]) }, otherwise);
    } else if (this.#chance(2)) {
      this.#asm.jump(opcode | X, this.#source(), { src: this.#source() }, otherwise);
    } else {
      this.#asm.jump(opcode, this.#source(), { immediate: this.#number() }, otherwise);
    }
  }

  #branch(): void {
    if (this.#depth > 3) return;
    this.#depth += 1;
    const [otherwise, end] = [Symbol('otherwise'), Symbol('end')];
    const register = this.#source();
    this.#condition(otherwise);
    const endsInPoison = this.#chance(3);
    if (endsInPoison) this.#poison();
    else for (let i = this.random(4); i > 0; i--) this.#statement();
    if (endsInPoison || this.#chance(2)) {
      this.#asm.here(otherwise);
    } else {
      this.#asm.jump(0x05, 0, {}, end);
      this.#asm.here(otherwise);
      if (this.#chance(3)) this.#poison();
      else for (let i = this.random(4); i > 0; i--) this.#statement();
      this.#asm.here(end);
    }
    // Another branch on the same register may follow.
    if (this.#chance(3)) this.#probe(register);
    this.#depth -= 1;
  }

  /** A loop that ends by a counter, or by the kernel’s. */
  #loop(): void {
    if (this.#depth > 1 || this.#hasLoop) return;
    this.#hasLoop = true;
    this.#depth += 2;
    const [start, end] = [Symbol('start'), Symbol('end')];
    const counter = this.#pick([7, 8, 9]);
    const isCounted = !this.options.isModern || this.#chance(2);
    if (isCounted && !this.#counters.has(counter)) {
      this.#counters.add(counter);
      this.#asm.add(ALU64 | MOV, counter, 0, 0, 0);
      this.#asm.here(start);
      for (let i = 1 + this.random(3); i > 0; i--) this.#statement();
      this.#asm.add(ALU64, counter, 0, 0, 1);
      this.#asm.jump(0xa5, counter, { immediate: 1 + this.random(3) }, start);
      this.#counters.delete(counter);
    } else if (!isCounted) {
      this.#asm.here(start);
      this.#asm.add(0xe5, 0, 0, end);
      for (let i = 1 + this.random(3); i > 0; i--) this.#statement();
      this.#asm.jump(0x05, 0, {}, start);
      this.#asm.here(end);
    }
    this.#depth -= 2;
  }

  /** A store through the pointer of a function, or an end of the function. */
  #special(): void {
    const choice = this.random(4);
    if (choice > 0 && (this.#kind === 'static' || this.#kind === 'callback')) {
      this.#asm.add(0x7b, 6, this.#source(), 0);
    } else {
      const after: Label = Symbol('after');
      this.#condition(after);
      this.#asm.add(ALU64 | MOV, 0, 0, 0, 0);
      this.#asm.add(0x95);
      this.#asm.here(after);
    }
  }

  /** A poisoned instruction, after which the function ends. */
  #poison(): void {
    this.#asm.add(0x85, 0, 0, 0, POISON + this.#poisoned.length);
    this.#poisoned.push(this.#asm.count - 1);
    this.#asm.add(ALU64 | MOV, 0, 0, 0, 0);
    this.#asm.add(0x95);
  }
}
