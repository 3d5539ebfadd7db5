import type { CorePatch } from '../core/patch.js';
import type { CoreWork } from '../core/refusal.js';
import type { ResolvedRelocation } from '../core/resolution.js';
import { linkedTo } from '../core/resolve-types.js';
import type { ElfRelocation } from '../elf/elf-file.js';
import { BtfFormatError } from '../format-error.js';
import type { ByteOrder } from '../header.js';
import type { BpfObject } from '../object/bpf-object.js';
import { relativeTarget, readCalls, relocationsBySection, symbolTarget } from '../object/calls.js';
import { CALL, type Instruction, INSTRUCTION_LENGTH, Instructions, LOAD_64 } from '../object/instructions.js';
import { type BpfProgram, programAt } from '../object/programs.js';
import type { Reference } from '../reach/program.js';
import type { ExceptionCallback } from './exception-callbacks.js';

/** LinkedFunction is a function of a linked program. */
export interface LinkedFunction {
  readonly program: BpfProgram;
  /** Its first instruction in the linked program. */
  readonly start: number;
}

/** ExternUse is an instruction that calls an extern or loads its address. */
export interface ExternUse {
  readonly name: string;
  readonly instruction: number;
  readonly isCall: boolean;
}

/**
 * LinkedProgram is a program as a loader passes it to the kernel: relocated, with the subprograms that it uses after it.
 * Instructions are counted over all of them.
 */
export interface LinkedProgram {
  readonly root: BpfProgram;
  /** The program itself first. */
  readonly functions: readonly LinkedFunction[];
  readonly code: Uint8Array;
  readonly byteOrder: ByteOrder;
  /** References to functions and data, but not to externs. */
  readonly references: ReadonlyMap<number, Reference>;
  readonly externs: readonly ExternUse[];
  /** The function for exceptions, which nothing calls; null if there is none. */
  readonly callback: BpfProgram | null;
  /** The name of such a function that the loader does not find; null if there is none. */
  readonly missingCallback: string | null;
  /** The names of functions that the program calls, but that neither the object nor the kernel has. */
  readonly undefinedCalls: ReadonlySet<string>;
  /** The calls of helpers: the number of the helper by instruction. */
  readonly helpers: ReadonlyMap<number, number>;
  /** The CO-RE relocations with their instructions in the linked program. */
  readonly relocations: readonly LinkedRelocation[];
}

/** LinkedRelocation is a relocation with its instruction in a linked program. */
export interface LinkedRelocation {
  readonly relocation: ResolvedRelocation;
  readonly instruction: number;
}

/** The instructions or relocations between two pauses. */
const PER_STEP = 4096;

/** Every program may link every subprogram, so a small object could be linked to very much. */
const MAX_INSTRUCTIONS = 4_194_304;
const MAX_RELOCATIONS = 262_144;

/** The verifier accepts no larger offset into a map. */
const MAX_OFFSET = 0x1fff_ffff;

/** LinkOptions say what linking depends on. */
export interface LinkOptions {
  /** Whether relocations of subprograms were resolved for each program, or once. */
  readonly isPerProgram: boolean;
  /** Whether the object has an extern with a name. */
  readonly isExtern: (name: string) => boolean;
  /** Bounds the work of finding the functions of programs. */
  readonly work: CoreWork;
  /** The indexes of the sections with read-only variables. */
  readonly readOnlySections: ReadonlySet<number>;
  /** The functions for exceptions, by the names of programs. */
  readonly callbacks: ReadonlyMap<string, ExceptionCallback>;
}

/** Linker links the programs of an object. */
export class Linker {
  readonly #object: BpfObject;
  readonly #programs: readonly BpfProgram[];
  /** The functions that each program refers to. */
  readonly calls: ReadonlyMap<BpfProgram, ReadonlySet<BpfProgram>>;
  readonly #references: ReadonlyMap<number, ReadonlyMap<number, ElfRelocation>>;
  /** Relocations by the program that they were resolved for, which is the function itself by libbpf. */
  readonly #relocations = new Map<BpfProgram, ResolvedRelocation[]>();
  readonly #options: LinkOptions;
  #instructionsLeft = MAX_INSTRUCTIONS;
  #relocationsLeft = MAX_RELOCATIONS;

  /**
   * @param programs of `readPrograms`, whose very objects the relocations refer to.
   * @throws BtfReadError as `readCalls` does.
   */
  constructor(
    object: BpfObject,
    programs: readonly BpfProgram[],
    relocations: readonly ResolvedRelocation[],
    options: LinkOptions,
  ) {
    this.#object = object;
    this.#programs = programs;
    this.#options = options;
    this.calls = readCalls(object, programs);
    this.#references = relocationsBySection(
      object,
      new Set(programs.map(({ sectionIndex }) => sectionIndex)),
    );
    for (const relocation of relocations) {
      const owner = relocation.loadedFor ?? relocation.program;
      if (owner === null) continue;
      const own = this.#relocations.get(owner);
      if (own === undefined) this.#relocations.set(owner, [relocation]);
      else own.push(relocation);
    }
  }

  /**
   * link links a program. It yields after a few milliseconds of work each.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the linked programs of the object have more than 4,194,304 instructions.
   */
  *link(root: BpfProgram): Generator<null, LinkedProgram, void> {
    const functions: LinkedFunction[] = [];
    let count = 0;
    const { callbacks, work } = this.#options;
    const named = callbacks.get(root.name);
    const callback = named?.program ?? null;
    const missingCallback = named === undefined || callback !== null ? null : named.name;
    const own = new Set(linkedTo(root, this.calls, work));
    if (callback !== null) for (const program of linkedTo(callback, this.calls, work)) own.add(program);
    for (const program of own) {
      functions.push({ program, start: count });
      count += program.count;
      if (count > this.#instructionsLeft) throw tooMany(MAX_INSTRUCTIONS, 'instructions');
    }
    this.#instructionsLeft -= count;
    const code = new Uint8Array(count * INSTRUCTION_LENGTH);
    for (const { program, start } of functions) code.set(program.bytes, start * INSTRUCTION_LENGTH);
    const linking = new Linking(this.#object, this.#programs, functions, code, this.#options);
    for (const linked of functions)
      yield* linking.resolve(linked, this.#references.get(linked.program.sectionIndex));
    const relocations = yield* linking.relocate(root, this.#relocations);
    this.#relocationsLeft -= relocations.length;
    if (this.#relocationsLeft < 0) throw tooMany(MAX_RELOCATIONS, 'relocations');
    const { references, externs, helpers, undefinedCalls } = linking;
    const { byteOrder } = this.#object.elf;
    return {
      root,
      functions,
      code,
      byteOrder,
      references,
      externs,
      callback,
      missingCallback,
      undefinedCalls,
      helpers,
      relocations,
    };
  }
}

class Linking {
  readonly references = new Map<number, Reference>();
  readonly externs: ExternUse[] = [];
  readonly helpers = new Map<number, number>();
  readonly undefinedCalls = new Set<string>();
  readonly #object: BpfObject;
  readonly #programs: readonly BpfProgram[];
  readonly #functions: readonly LinkedFunction[];
  readonly #starts: ReadonlyMap<BpfProgram, number>;
  readonly #code: Instructions;
  readonly #options: LinkOptions;

  constructor(
    object: BpfObject,
    programs: readonly BpfProgram[],
    functions: readonly LinkedFunction[],
    code: Uint8Array,
    options: LinkOptions,
  ) {
    this.#object = object;
    this.#programs = programs;
    this.#functions = functions;
    this.#starts = new Map(functions.map(({ program, start }) => [program, start]));
    this.#code = new Instructions(code, object.elf.byteOrder);
    this.#options = options;
  }

  /** Finds what the instructions of a function refer to. */
  *resolve(
    { program, start }: LinkedFunction,
    relocations: ReadonlyMap<number, ElfRelocation> | undefined,
  ): Generator<null, void, void> {
    for (let i = 0; i < program.count; i++) {
      if (i % PER_STEP === PER_STEP - 1) yield null;
      const opcode = this.#code.opcodeAt(start + i);
      const isLoad = opcode === LOAD_64;
      const instruction = opcode === CALL || isLoad ? this.#code.at(start + i) : null;
      if (instruction !== null) {
        const relocation = relocations?.get((program.start + i) * INSTRUCTION_LENGTH);
        if (relocation !== undefined) this.#relocated(start + i, instruction, relocation);
        else this.#relative(start + i, instruction, program, i);
      }
      // The second half of a constant cannot run.
      if (isLoad) i++;
    }
  }

  /** Writes the relocations of CO-RE into the code. */
  *relocate(
    root: BpfProgram,
    byOwner: ReadonlyMap<BpfProgram, readonly ResolvedRelocation[]>,
  ): Generator<null, LinkedRelocation[], void> {
    const found: LinkedRelocation[] = [];
    const add = (relocation: ResolvedRelocation): void => {
      const start = relocation.program === null ? undefined : this.#starts.get(relocation.program);
      if (start === undefined || relocation.outcome === 'SKIPPED') return;
      const instruction = start + relocation.instruction;
      if (relocation.patch !== null) patch(this.#code, instruction, relocation.patch);
      found.push({ relocation, instruction });
    };
    const owners = this.#options.isPerProgram ? [root] : this.#functions.map(({ program }) => program);
    for (const owner of owners) {
      for (const [i, relocation] of (byOwner.get(owner) ?? []).entries()) {
        if (i % PER_STEP === PER_STEP - 1) yield null;
        add(relocation);
      }
    }
    return found;
  }

  #relative(at: number, instruction: Instruction, program: BpfProgram, i: number): void {
    const target = relativeTarget(instruction, program, i);
    if (target !== null) this.#refer(at, target.section, target.instruction);
    else if (instruction.opcode === CALL && instruction.src === 0)
      this.helpers.set(at, instruction.immediate);
  }

  #relocated(at: number, instruction: Instruction, relocation: ElfRelocation): void {
    const symbol = this.#object.symbols[relocation.symbol];
    const isCall = instruction.opcode === CALL;
    if (symbol?.section === 0 && symbol.name !== null && this.#options.isExtern(symbol.name)) {
      this.externs.push({ name: symbol.name, instruction: at, isCall });
      return;
    }
    if (isCall && symbol?.section === 0 && symbol.name !== null) this.undefinedCalls.add(symbol.name);
    const target = symbolTarget(this.#object, relocation, instruction);
    if (target !== null && this.#refer(at, target.section, target.instruction)) return;
    const { section = 0, value = 0 } = symbol ?? {};
    const offset = value + instruction.immediate;
    const isData =
      !isCall && this.#options.readOnlySections.has(section) && offset >= 0 && offset <= MAX_OFFSET;
    this.references.set(at, isData ? { to: 'data', section, offset } : { to: 'other' });
  }

  /** Returns whether the target is a function of the program. */
  #refer(at: number, section: number, instruction: number): boolean {
    const callee = programAt(this.#programs, section, instruction);
    const start = callee === null ? undefined : this.#starts.get(callee);
    if (callee === null || start === undefined) return false;
    this.references.set(at, { to: 'function', start: start + instruction - callee.start });
    return true;
  }
}

const SIZES: Readonly<Record<number, number>> = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 };
const SIZE_BITS = 0x18;

function patch(code: Instructions, at: number, { part, to, size }: CorePatch): void {
  const instruction = code.at(at);
  if (instruction === null || part === 'POISON') return;
  const low = Number(BigInt.asIntN(32, to));
  if (part === 'OFFSET') {
    const sizeBits = size === null ? instruction.opcode & SIZE_BITS : (SIZES[size.to] ?? 0);
    const opcode = (instruction.opcode & ~SIZE_BITS) | sizeBits;
    code.set(at, { ...instruction, opcode, offset: Number(BigInt.asIntN(16, to)) });
    return;
  }
  code.set(at, { ...instruction, immediate: low });
  const second = part === 'IMMEDIATE64' ? code.at(at + 1) : null;
  if (second !== null) code.set(at + 1, { ...second, immediate: Number(BigInt.asIntN(32, to >> 32n)) });
}

function tooMany(limit: number, what: string): BtfFormatError {
  const message = `subprograms are part of so many programs that there are more than ${limit} ${what}`;
  return new BtfFormatError('LIMIT_EXCEEDED', message);
}
