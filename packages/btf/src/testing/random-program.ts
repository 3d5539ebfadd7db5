import type { Random } from 'test-tools/random';
import { type Label, ProgramAssembler } from './assemble-program.js';
import {
  ALU32,
  ALU64,
  COMPARISONS,
  FREE,
  MOV,
  OPERATIONS,
  RandomInstructions,
  SIZES,
  SLOTS,
  X,
} from './random-instructions.js';

/** The number that the call of a poisoned instruction has in libbpf. Ours count up from it, which distinguishes them. */
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

const FUNCTIONS = 4;

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

  readonly #emit: RandomInstructions;

  constructor(
    random: Random,
    private readonly options: RandomProgramOptions,
  ) {
    this.#emit = new RandomInstructions(random, this.#asm);
  }

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

  /** A register to write. */
  #target(): number {
    return this.#emit.pick(FREE.filter((register) => !this.#counters.has(register)));
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
    for (const register of FREE) if (!isArgument(register)) this.#emit.constant(register);
    for (let slot = 1; slot <= SLOTS; slot++) this.#asm.add(0x7b, 10, this.#emit.source(), -8 * slot);
    // Half of the instructions are the program's, and the functions share the others.
    const share = this.options.size / (this.#current === 0 ? 2 : 8);
    const end = this.#asm.count + share;
    if (isArgument(1)) this.#probe(1);
    if (isArgument(2)) this.#probe(2);
    while (this.#asm.count < end) this.#statement();
    this.#asm.add(ALU64 | MOV, 0, 0, 0, kind === 'callback' ? this.#emit.below(2) : 0);
    this.#asm.add(0x95);
  }

  #statement(): void {
    const choice = this.#emit.below(36);
    if (choice < 9) this.#arithmetic();
    else if (choice < 11) this.#emit.constant(this.#target());
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
    const opcode = this.#emit.chance(3) ? this.#emit.pick(COMPARISONS) : 0x50;
    this.#asm.jump(opcode | this.#emit.pick([5, 6]), register, { immediate: this.#emit.number() }, after);
    this.#poison();
    this.#asm.here(after);
  }

  #arithmetic(): void {
    const [to, width] = [this.#target(), this.#emit.pick([ALU32, ALU64])];
    const operation = this.#emit.pick([...OPERATIONS, MOV, 0x30, 0x90]);
    const choice = this.#emit.below(12);
    if (choice === 0) {
      // Negation and byte swaps.
      if (this.#emit.chance(2)) this.#asm.add(0x80 | width, to);
      else this.#asm.add(this.#emit.pick([0xd4, 0xdc]), to, 0, 0, this.#emit.pick([16, 32, 64]));
    } else if (choice === 1 && this.options.isModern) {
      // A move with sign extension.
      this.#asm.add(MOV | X | width, to, this.#emit.source(), this.#emit.pick([8, 16]));
    } else if (this.#emit.chance(2)) {
      this.#asm.add(operation | X | width, to, this.#emit.source());
    } else {
      const isShift = operation === 0x60 || operation === 0x70 || operation === 0xc0;
      const isDivision = operation === 0x30 || operation === 0x90;
      const number = isShift ? this.#emit.below(width === ALU32 ? 32 : 64) : this.#emit.number();
      this.#asm.add(operation | width, to, 0, 0, isDivision && number === 0 ? 3 : number);
    }
    if (this.#emit.chance(3)) this.#probe(to);
  }

  /** Gives a register a value that the verifier does not know. */
  #unknown(): void {
    const to = this.#target();
    if (this.#emit.chance(2)) {
      this.#address(to, 2);
      const size = this.#emit.pick([1, 2, 4, 8] as const);
      this.#asm.add(0x61 | SIZES[size], to, to, 0);
    } else {
      this.#emit.callHelper(7);
      if (this.#emit.chance(2)) this.#asm.add(ALU64 | MOV | X, to, 0);
      if (this.#emit.chance(2)) this.#asm.add(ALU64 | 0x50, 0, 0, 0, this.#emit.pick([1, 3, 0xff]));
    }
  }

  /** Loads an address in the data of a map: 1 is read-only. */
  #address(to: number, map: number): number {
    const offset = 8 * this.#emit.below(this.options.dataSize / 8);
    const at = this.#asm.load64(to, (BigInt(offset) << 32n) | BigInt(map), 2);
    if (map === 1) this.#data.set(at, offset);
    return offset;
  }

  /** Loads from read-only data, also by an address that depends on the path, or was moved or stored meanwhile. */
  #load(): void {
    const to = this.#target();
    const end: Label = Symbol('end');
    if (this.#emit.chance(4)) {
      const other: Label = Symbol('other');
      this.#condition(other);
      this.#address(to, 1);
      this.#asm.jump(0x05, 0, {}, end);
      this.#asm.here(other);
    }
    const offset = this.#address(to, 1);
    this.#asm.here(end);
    if (this.#emit.chance(4)) {
      const slot = this.#emit.slot();
      this.#asm.add(0x7b, 10, to, slot);
      this.#asm.add(0x79, to, 10, slot);
      this.#asm.add(0x7a, 10, 0, slot, this.#emit.number());
    }
    // The other address may be smaller or larger.
    const isMoved = this.#emit.chance(3);
    if (isMoved && offset >= 8) {
      this.#asm.add(ALU64 | 0x10, to, 0, 0, 4);
      this.#asm.add(ALU64, to, 0, 0, 4);
    }
    const size = this.#emit.pick([1, 2, 4, 8] as const);
    const isSigned = this.options.isModern && size < 8 && this.#emit.chance(4);
    this.#asm.add((isSigned ? 0x81 : 0x61) | SIZES[size], to, to, size * this.#emit.below(8 / size));
    if (this.#emit.chance(2)) this.#probe(to);
  }

  #stack(): void {
    const slot = this.#emit.slot();
    const choice = this.#emit.below(8);
    if (choice < 3) this.#asm.add(0x7b, 10, this.#emit.source(), slot);
    else if (choice < 6) this.#asm.add(0x79, this.#target(), 10, slot);
    else {
      const size = this.#emit.pick([1, 2, 4, 8] as const);
      const at = slot + size * this.#emit.below(8 / size);
      if (this.#emit.chance(3)) this.#asm.add(0x61 | SIZES[size], this.#target(), 10, at);
      else if (this.#emit.chance(2)) this.#asm.add(0x62 | SIZES[size], 10, 0, at, this.#emit.number());
      else this.#asm.add(0x63 | SIZES[size], 10, this.#emit.source(), at);
    }
  }

  /** Stores a register, changes the stack slot in some way, and loads it again. */
  #disturbed(): void {
    const slot = this.#emit.slot();
    if (!this.#emit.chance(3)) this.#asm.add(0x7b, 10, this.#emit.source(), slot);
    const value = this.#emit.source();
    const choice = this.#emit.below(7);
    if (choice === 0) {
      // add, or with fetch, xchg, cmpxchg
      const operation = this.#emit.pick([0x00, 0x41, 0xe1, 0xf1]);
      const operand = this.#target();
      this.#asm.add(0xdb, 10, operand, slot, operation);
      if (this.#emit.chance(2)) this.#probe(operand);
    } else if (choice === 1) {
      const size = this.#emit.pick([1, 2, 4] as const);
      this.#asm.add(0x63 | SIZES[size], 10, value, slot + size * this.#emit.below(8 / size));
    } else if (choice === 2) {
      const size = this.#emit.pick([1, 2, 4, 8] as const);
      this.#asm.add(0x62 | SIZES[size], 10, 0, slot + size * this.#emit.below(8 / size), this.#emit.number());
    } else if (choice === 3) {
      this.#call(slot);
    } else if (choice < 6) {
      const pointer = this.#target();
      this.#emit.pointer(pointer, slot);
      if (value === pointer) this.#asm.add(0x7a, pointer, 0, 0, this.#emit.number());
      else this.#asm.add(0x7b, pointer, value, 0);
      this.#emit.constant(pointer);
    }
    const to = this.#target();
    this.#asm.add(0x79, to, 10, slot);
    if (!this.#emit.chance(3)) this.#probe(to);
  }

  /** Returns a later function of a kind, since an earlier one could call itself. */
  #callee(kind: Kind): Func | undefined {
    const later = this.#functions.slice(this.#current + 1).filter((f) => f.kind === kind);
    const hasRoom = this.#functions.length < FUNCTIONS && this.#asm.count < this.options.size * 0.7;
    if (later.length > 0 && (!hasRoom || this.#emit.chance(2))) return this.#emit.pick(later);
    if (!hasRoom) return undefined;
    const made: Func = { label: Symbol(kind), kind };
    this.#functions.push(made);
    return made;
  }

  /** Calls a function with the address of a stack slot. */
  #call(slot = this.#emit.slot()): void {
    const choice = this.#emit.below(6);
    if (choice === 0 && this.#kind === 'main') {
      // bpf_skb_load_bytes writes to the stack.
      this.#asm.add(ALU64 | MOV | X, 1, 6);
      this.#asm.add(ALU64 | MOV, 2, 0, 0, 0);
      this.#emit.pointer(3, slot);
      this.#asm.add(ALU64 | MOV, 4, 0, 0, 8);
      this.#emit.callHelper(26);
      return;
    }
    const kind = choice === 1 ? 'callback' : choice === 2 ? 'global' : 'static';
    const callee = kind === 'callback' && this.#hasLoop ? undefined : this.#callee(kind);
    if (callee === undefined) return;
    if (kind === 'callback') {
      this.#hasLoop = true;
      // Linux 6.18 reports a bug of its own for no iterations: it removes the callback, not its address.
      this.#asm.add(ALU64 | MOV, 1, 0, 0, 1 + this.#emit.below(3));
      this.#asm.add(0x18, 2, 4, 0, callee.label);
      this.#asm.add(0);
      this.#emit.pointer(3, slot);
      this.#asm.add(ALU64 | MOV, 4, 0, 0, 0);
      this.#emit.callHelper(181);
      return;
    }
    if (kind === 'static') this.#emit.pointer(1, slot);
    this.#asm.call(callee.label);
    this.#emit.afterCall();
  }

  /** Jumps to a label if a random condition does not hold, and else continues. */
  #condition(otherwise: Label): void {
    const opcode = this.#emit.pick(COMPARISONS) | this.#emit.pick([5, 6]);
    if (this.#emit.chance(12) && this.#kind !== 'global') {
      // A pointer.
      this.#asm.jump(this.#emit.pick([0x15, 0x55]), 6, { immediate: this.#emit.pick([0, 0, 5]) }, otherwise);
    } else if (this.#emit.chance(2)) {
      this.#asm.jump(opcode | X, this.#emit.source(), { src: this.#emit.source() }, otherwise);
    } else {
      this.#asm.jump(opcode, this.#emit.source(), { immediate: this.#emit.number() }, otherwise);
    }
  }

  #branch(): void {
    if (this.#depth > 3) return;
    this.#depth += 1;
    const [otherwise, end] = [Symbol('otherwise'), Symbol('end')];
    const register = this.#emit.source();
    this.#condition(otherwise);
    const endsInPoison = this.#emit.chance(3);
    if (endsInPoison) this.#poison();
    else for (let i = this.#emit.below(4); i > 0; i--) this.#statement();
    if (endsInPoison || this.#emit.chance(2)) {
      this.#asm.here(otherwise);
    } else {
      this.#asm.jump(0x05, 0, {}, end);
      this.#asm.here(otherwise);
      if (this.#emit.chance(3)) this.#poison();
      else for (let i = this.#emit.below(4); i > 0; i--) this.#statement();
      this.#asm.here(end);
    }
    // Another branch on the same register may follow.
    if (this.#emit.chance(3)) this.#probe(register);
    this.#depth -= 1;
  }

  /** A loop that ends by a counter, or by the kernel’s. */
  #loop(): void {
    if (this.#depth > 1 || this.#hasLoop) return;
    this.#hasLoop = true;
    this.#depth += 2;
    const [start, end] = [Symbol('start'), Symbol('end')];
    const counter = this.#emit.pick([7, 8, 9]);
    const isCounted = !this.options.isModern || this.#emit.chance(2);
    if (isCounted && !this.#counters.has(counter)) {
      this.#counters.add(counter);
      this.#asm.add(ALU64 | MOV, counter, 0, 0, 0);
      this.#asm.here(start);
      for (let i = 1 + this.#emit.below(3); i > 0; i--) this.#statement();
      this.#asm.add(ALU64, counter, 0, 0, 1);
      this.#asm.jump(0xa5, counter, { immediate: 1 + this.#emit.below(3) }, start);
      this.#counters.delete(counter);
    } else if (!isCounted) {
      this.#asm.here(start);
      this.#asm.add(0xe5, 0, 0, end);
      for (let i = 1 + this.#emit.below(3); i > 0; i--) this.#statement();
      this.#asm.jump(0x05, 0, {}, start);
      this.#asm.here(end);
    }
    this.#depth -= 2;
  }

  /** A store through the pointer of a function, or an end of the function. */
  #special(): void {
    const choice = this.#emit.below(4);
    if (choice > 0 && (this.#kind === 'static' || this.#kind === 'callback')) {
      this.#asm.add(0x7b, 6, this.#emit.source(), 0);
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
