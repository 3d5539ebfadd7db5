import { ALU, JUMP } from './instruction.js';

/**
 * compute returns the result of an operation on two numbers of 64 bits, or null if not every verifier computes it:
 * division, modulo, negation and byte swaps, and shifts by more bits than there are. Operations of 32 bits clear the high
 * half.
 *
 * @param is32 whether the operation has 32 bits.
 * @param computesXor whether the verifier computes `xor`.
 */
export function compute(
  operation: number,
  a: bigint,
  b: bigint,
  is32: boolean,
  computesXor: boolean,
): bigint | null {
  const result = compute64(
    operation,
    is32 ? BigInt.asUintN(32, a) : a,
    is32 && !isShift(operation) ? BigInt.asUintN(32, b) : b,
    is32 ? 32 : 64,
    computesXor,
  );
  if (result === null) return null;
  return is32 ? BigInt.asUintN(32, result) : BigInt.asIntN(64, result);
}

function isShift(operation: number): boolean {
  return operation === ALU.LSH || operation === ALU.RSH || operation === ALU.ARSH;
}

function compute64(
  operation: number,
  a: bigint,
  b: bigint,
  bits: number,
  computesXor: boolean,
): bigint | null {
  // Verifiers before 5.14 or so compare all 64 bits of the number of bits, even for operations of 32.
  if (isShift(operation) && (b < 0n || b >= BigInt(bits))) return null;
  switch (operation) {
    case ALU.ADD:
      return a + b;
    case ALU.SUB:
      return a - b;
    case ALU.MUL:
      return a * b;
    case ALU.OR:
      return a | b;
    case ALU.AND:
      return a & b;
    case ALU.XOR:
      return computesXor ? a ^ b : null;
    case ALU.LSH:
      return a << b;
    case ALU.RSH:
      return BigInt.asUintN(bits, a) >> b;
    case ALU.ARSH:
      return BigInt.asIntN(bits, a) >> b;
    default:
      return null;
  }
}

/** compare returns whether a comparison of two numbers of 64 bits holds, or of their low halves. */
export function compare(operation: number, a: bigint, b: bigint, is32: boolean): boolean {
  const bits = is32 ? 32 : 64;
  const [unsignedA, unsignedB] = [BigInt.asUintN(bits, a), BigInt.asUintN(bits, b)];
  const [signedA, signedB] = [BigInt.asIntN(bits, a), BigInt.asIntN(bits, b)];
  switch (operation) {
    case JUMP.JEQ:
      return unsignedA === unsignedB;
    case JUMP.JNE:
      return unsignedA !== unsignedB;
    case JUMP.JSET:
      return (unsignedA & unsignedB) !== 0n;
    case JUMP.JGT:
      return unsignedA > unsignedB;
    case JUMP.JGE:
      return unsignedA >= unsignedB;
    case JUMP.JLT:
      return unsignedA < unsignedB;
    case JUMP.JLE:
      return unsignedA <= unsignedB;
    case JUMP.JSGT:
      return signedA > signedB;
    case JUMP.JSGE:
      return signedA >= signedB;
    case JUMP.JSLT:
      return signedA < signedB;
    case JUMP.JSLE:
      return signedA <= signedB;
    default:
      throw new RangeError(`operation ${operation} is not a comparison`);
  }
}
