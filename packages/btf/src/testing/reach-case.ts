import type { ByteOrder } from '../header.js';
import type { ReachProgram, ReadOnlyVariable, Reference, VerifierTraits } from '../reach/program.js';
import { verifierTraits } from '../reach/program.js';
import type { StepBudget } from '../reach/follow.js';
import { reachOf, type ReachResult } from '../reach/reach.js';
import { type Label, ProgramAssembler } from './assemble-program.js';

/** ReachCaseOptions are the options of {@link reachCase}. */
export interface ReachCaseOptions {
  readonly order?: ByteOrder;
  readonly variables?: readonly ReadOnlyVariable[];
  readonly verifier?: Partial<VerifierTraits>;
  readonly budget?: StepBudget;
}

/** ReachCase collects the parts of a program that its instructions do not have. */
export class ReachCase {
  readonly asm: ProgramAssembler;
  readonly functions: { start: Label; isGlobal: boolean }[] = [];
  readonly references = new Map<number, Reference>();
  readonly poisoned = new Map<string, number>();

  constructor(order: ByteOrder) {
    this.asm = new ProgramAssembler(order);
    this.begin('program');
  }

  /** begin starts a function. @returns its label. */
  begin(name: string, isGlobal = false, label: Label = Symbol(name)): Label {
    this.asm.here(label);
    this.functions.push({ start: label, isGlobal });
    return label;
  }

  /** mov sets a register to a number of 64 bits. */
  mov(register: number, value: number): void {
    this.asm.add(0xb7, register, 0, 0, value);
  }

  /** refer appends `ld_imm64` with an ELF relocation. */
  refer(register: number, reference: Reference, source = 0): void {
    this.references.set(this.asm.load64(register, 0n, source), reference);
  }

  /** pointTo loads the address of a function. */
  pointTo(register: number, callee: Label): void {
    this.asm.add(0x18, register, 4, 0, callee);
    this.asm.add(0x00);
  }

  /** poison appends a poisoned instruction with a name. */
  poison(name: string): void {
    this.poisoned.set(name, this.asm.add(0x85, 0, 0, 0, 0xbad2310));
  }

  /** unless appends a poisoned instruction that is jumped over if a comparison with an immediate holds. */
  unless(opcode: number, register: number, immediate: number, name: string): void {
    const after: Label = Symbol('after');
    this.asm.jump(opcode, register, { immediate }, after);
    this.poison(name);
    this.asm.here(after);
  }

  /** exit appends an exit with a result. */
  exit(): void {
    this.mov(0, 0);
    this.asm.add(0x95);
  }

  /** program returns the program. */
  program({ variables = [], verifier = {} }: ReachCaseOptions): ReachProgram {
    return {
      code: this.asm.bytes(),
      byteOrder: this.asm.order,
      functions: this.functions.map(({ start, isGlobal }) => ({ start: this.asm.placeOf(start), isGlobal })),
      references: this.references,
      poisoned: new Set(this.poisoned.values()),
      asked: [],
      variables,
      verifier: { ...verifierTraits(0x7fff_ffff), ...verifier },
    };
  }
}

/** reachCase makes a program. @returns the reach of each poisoned instruction by its name, and the whole result. */
export function reachCase(
  make: (program: ReachCase) => void,
  options: ReachCaseOptions = {},
): { readonly reach: Record<string, string>; readonly result: ReachResult } {
  const made = new ReachCase(options.order ?? 'little');
  make(made);
  const result = reachOf(made.program(options), options.budget);
  const reach = [...made.poisoned].map(([name, i]) => [name, result.instructions.get(i)?.reach ?? 'none']);
  return { reach: Object.fromEntries(reach), result };
}

/**
 * reachUnless returns the reach of a poisoned instruction that is jumped over if r1 has a number after some instructions.
 */
export function reachUnless(
  expected: number,
  make: (program: ReachCase) => void,
  verifier: Partial<VerifierTraits> = {},
): string | undefined {
  const { reach } = reachCase(
    (program) => {
      make(program);
      program.unless(0x15, 1, expected, 'p');
      program.exit();
    },
    { verifier },
  );
  return reach['p'];
}
