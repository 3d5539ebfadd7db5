import {
  CALL,
  type Instruction,
  InstructionClass,
  type Instructions,
  LOAD_64,
} from '../object/instructions.js';
import type { Fix } from './calculate.js';
import { refusal } from './refusal.js';
import type { LoaderRules } from './rules/loader-rules.js';

/** CorePatch is the change of a relocated instruction. */
export interface CorePatch {
  /**
   * The part that changes: the immediate, the offset of a load or store, the constant of 64 bits, or all of an instruction
   * that becomes an invalid one.
   */
  readonly part: 'IMMEDIATE' | 'OFFSET' | 'IMMEDIATE64' | 'POISON';
  /** The old and the new value, as unsigned numbers of 64 bits; 0 for `POISON`. */
  readonly from: bigint;
  readonly to: bigint;
  /** For a load or a store whose size changes: the old and the new size in bytes. */
  readonly size: { readonly from: number; readonly to: number } | null;
}

/** The number of a helper that does not exist: the verifier names it if it gets to the instruction. */
const BAD_RELOCATION = 0xbad_2310;

const SOURCE_IS_REGISTER = 0x08;
const SWAP = 0xd0;
const MODE_BITS = 0xe0;
const CLASS_BITS = 0x07;
const OPERATION_BITS = 0xf0;

const MAX_OFFSET = 0x7fff;
const MAX_IMMEDIATE = 0x7fff_ffffn;

/** The size bits of a load or store, and the bytes that they mean. */
const SIZES = [
  [0x18, 8],
  [0x00, 4],
  [0x08, 2],
  [0x10, 1],
] as const;
const SIZE_BITS = 0x18;

/**
 * patchInstruction writes a fix into an instruction.
 *
 * @throws a refusal if the instruction cannot be relocated, or does not have the local value.
 */
export function patchInstruction(
  instructions: Instructions,
  index: number,
  fix: Fix,
  rules: LoaderRules,
): CorePatch {
  const instruction = instructions.at(index);
  if (instruction === null) throw refusal(`the program has no instruction ${index}`);
  if (fix.isPoison) return poison(instructions, index, instruction, rules);
  switch (instruction.opcode & CLASS_BITS) {
    case InstructionClass.ALU:
    case InstructionClass.ALU64:
      return patchImmediate(instructions, index, instruction, fix, rules);
    case InstructionClass.LDX:
    case InstructionClass.ST:
    case InstructionClass.STX:
      return patchOffset(instructions, index, instruction, fix, rules);
    case InstructionClass.LD:
      return patchConstant(instructions, index, instruction, fix, rules);
    default:
      throw refusal(`instruction ${index} is a jump or a call`);
  }
}

function poison(
  instructions: Instructions,
  index: number,
  { opcode }: Instruction,
  rules: LoaderRules,
): CorePatch {
  const call = { opcode: CALL, dst: 0, src: 0, offset: 0, immediate: BAD_RELOCATION };
  if (opcode !== LOAD_64) {
    instructions.set(index, call);
  } else if (rules.poisonedLoad === 'TWO_CALLS') {
    instructions.set(index, call);
    if (index + 1 < instructions.count) instructions.set(index + 1, call);
  } else {
    // A write to the frame pointer, which is as invalid.
    instructions.set(index, { ...call, opcode: LOAD_64, dst: 10 });
    if (index + 1 < instructions.count) instructions.set(index + 1, { ...call, opcode: 0, immediate: 0 });
  }
  return { part: 'POISON', from: 0n, to: 0n, size: null };
}

function patchImmediate(
  instructions: Instructions,
  index: number,
  instruction: Instruction,
  { local, target, isChecked }: Fix,
  { wideImmediate }: LoaderRules,
): CorePatch {
  if ((instruction.opcode & SOURCE_IS_REGISTER) !== 0) throw refusal(`instruction ${index} has no immediate`);
  const isSwap = (instruction.opcode & (OPERATION_BITS | CLASS_BITS)) === (SWAP | InstructionClass.ALU);
  if (isSwap && wideImmediate === 'REFUSED') throw refusal(`instruction ${index} swaps bytes`);
  const from = unsigned(instruction.immediate);
  if (isChecked && from !== local) throw unexpected(index, 'immediate', instruction.immediate, local);
  if (wideImmediate === 'REFUSED' && target > MAX_IMMEDIATE) {
    throw refusal(`the value ${target} does not fit the immediate of instruction ${index}`);
  }
  instructions.set(index, { ...instruction, immediate: Number(BigInt.asIntN(32, target)) });
  return { part: 'IMMEDIATE', from, to: target, size: null };
}

function patchOffset(
  instructions: Instructions,
  index: number,
  instruction: Instruction,
  fix: Fix,
  rules: LoaderRules,
): CorePatch {
  const { local, target, isChecked, hasUnfitSize } = fix;
  const from = unsigned(instruction.offset);
  // cilium/ebpf compares 16 bits.
  const expected = rules.accessSize === 'KEPT' ? BigInt.asUintN(64, BigInt.asIntN(16, local)) : local;
  if (isChecked && from !== expected) throw unexpected(index, 'offset', instruction.offset, local);
  if (target > BigInt(MAX_OFFSET)) {
    throw refusal(`the offset ${target} does not fit instruction ${index}: the largest is ${MAX_OFFSET}`);
  }
  if (rules.accessSize === 'KEPT') {
    instructions.set(index, { ...instruction, offset: Number(target) });
    return { part: 'OFFSET', from, to: target, size: null };
  }
  if (hasUnfitSize) return poison(instructions, index, instruction, rules);
  const size = newSize(index, instruction.opcode, fix);
  const opcode = size === null ? instruction.opcode : withSize(instruction.opcode, size.to);
  instructions.set(index, { ...instruction, opcode, offset: Number(target) });
  return { part: 'OFFSET', from, to: target, size };
}

function newSize(
  index: number,
  opcode: number,
  { localSize, targetSize }: Fix,
): { readonly from: number; readonly to: number } | null {
  if (localSize === targetSize) return null;
  const [, accessed] = SIZES.find(([bits]) => bits === (opcode & SIZE_BITS)) ?? [0, 0];
  if (accessed !== localSize) {
    throw refusal(`instruction ${index} accesses ${accessed} bytes of a member of ${localSize}`);
  }
  if (!SIZES.some(([, bytes]) => bytes === targetSize)) {
    throw refusal(`instruction ${index} cannot access a member of ${targetSize} bytes`);
  }
  return { from: localSize, to: targetSize };
}

function withSize(opcode: number, size: number): number {
  const [bits] = SIZES.find(([, bytes]) => bytes === size) ?? [0];
  return (opcode & (MODE_BITS | CLASS_BITS)) | bits;
}

function patchConstant(
  instructions: Instructions,
  index: number,
  first: Instruction,
  { local, target, isChecked }: Fix,
  { poisonedLoad }: LoaderRules,
): CorePatch {
  const second = instructions.at(index + 1);
  const isPlain = (part: Instruction): boolean => part.src === 0 && part.offset === 0;
  if (first.opcode !== LOAD_64 || !isPlain(first) || second === null) throw unexpectedForm(index);
  if (poisonedLoad === 'TWO_CALLS' && (second.opcode !== 0 || second.dst !== 0 || !isPlain(second))) {
    throw unexpectedForm(index);
  }
  const from = BigInt(first.immediate >>> 0) | (BigInt(second.immediate >>> 0) << 32n);
  if (isChecked && from !== local) throw unexpected(index, 'constant', from, local);
  instructions.set(index, { ...first, immediate: Number(BigInt.asIntN(32, target)) });
  instructions.set(index + 1, { ...second, immediate: Number(BigInt.asIntN(32, target >> 32n)) });
  return { part: 'IMMEDIATE64', from, to: target, size: null };
}

function unsigned(value: number): bigint {
  return BigInt.asUintN(64, BigInt(value));
}

function unexpected(
  index: number,
  what: string,
  value: number | bigint,
  expected: bigint,
): ReturnType<typeof refusal> {
  return refusal(`instruction ${index} has the ${what} ${value}, not ${expected} as it was compiled with`);
}

function unexpectedForm(index: number): ReturnType<typeof refusal> {
  return refusal(`instruction ${index} does not load a constant of 64 bits`);
}
