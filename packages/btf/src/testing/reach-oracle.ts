import { type Random, seeded } from 'test-tools/random';
import { type VerifierTraits, verifierTraits } from '../reach/program.js';
import { reachOf, type ReachResult } from '../reach/reach.js';
import { type LoadableProgram, ProgramLoader, type Verdict } from './program-loader.js';
import { type RandomProgram, randomProgram } from './random-program.js';

/** The content of the read-only data of random programs: numbers that they compare with, in variables of 8 bytes. */
export const ORACLE_DATA = new Uint8Array(
  BigInt64Array.from([0n, 1n, -1n, 5n, 0x7fff_ffffn, 0x8000_0000n, 3n << 32n, 0x0102_0304_0506_0708n]).buffer,
);

/** A helper that every kernel has, and that changes what a call changes: bpf_get_prandom_u32. */
const HARMLESS = 7;

/** OracleProgram is a random program with what the analysis says of its poisoned instructions. */
export interface OracleProgram extends LoadableProgram {
  /** The instructions that are poisoned. Others were made harmless. */
  readonly poisoned: readonly number[];
  readonly result: ReachResult;
}

/** oraclePrograms makes two programs: one as it is random, and one where only what is never reached is poisoned. */
export function oraclePrograms(
  random: Random,
  verifier: VerifierTraits,
  isModern: boolean,
): readonly OracleProgram[] {
  const size = 50 + random(120);
  const program = randomProgram(random, { size, dataSize: ORACLE_DATA.length, isModern });
  const first = judged(program, program.poisoned, verifier);
  let last = first;
  for (;;) {
    const never = last.poisoned.filter((i) => isNever(last.result, i));
    if (never.length === last.poisoned.length) return [first, last];
    // Instructions that are not poisoned any more lead to others.
    last = judged(program, never, verifier);
  }
}

function judged(
  program: RandomProgram,
  poisoned: readonly number[],
  verifier: VerifierTraits,
): OracleProgram {
  const code = program.code.slice();
  const view = new DataView(code.buffer);
  for (const i of program.poisoned) if (!poisoned.includes(i)) view.setInt32(8 * i + 4, HARMLESS, true);
  const result = reachOf({
    code,
    byteOrder: 'little',
    functions: program.functions,
    references: new Map(
      [...program.data].map(([i, offset]) => [i, { to: 'data', section: 0, offset } as const]),
    ),
    poisoned: new Set(poisoned),
    asked: [],
    variables: Array.from({ length: ORACLE_DATA.length / 8 }, (_, i) => ({
      section: 0,
      offset: 8 * i,
      bytes: ORACLE_DATA.subarray(8 * i, 8 * i + 8),
      isCertain: false,
    })),
    verifier,
  });
  return { code, functions: program.functions, poisoned, result };
}

function isNever(result: ReachResult, instruction: number): boolean {
  const reach = result.instructions.get(instruction)?.reach;
  return reach === 'NEVER' || reach === 'NEVER_AS_INITIALIZED';
}

/** Comparison is what {@link compareWithKernel} saw. */
export interface Comparison {
  /**
   * Poisoned instructions that the kernel reached and the analysis calls unreachable, and programs that the kernel accepted
   * although the analysis says that a poisoned instruction is always reached.
   */
  readonly contradictions: readonly string[];
  /** The number of programs with poisoned instructions that the kernel accepted. */
  readonly accepted: number;
  /** The number of programs that the kernel refused for other reasons. */
  readonly otherwiseRefused: number;
  /** The number of poisoned instructions by their reach. */
  readonly reach: ReadonlyMap<string, number>;
}

/** compareRandomPrograms compares random programs with the running kernel, for which the traits of any kernel hold. */
export function compareRandomPrograms(seed: number, count: number): Comparison {
  const random = seeded(seed);
  const verifier = { ...verifierTraits(null), readsData: true };
  const programs = Array.from({ length: count }, () => oraclePrograms(random, verifier, true)).flat();
  const loader = new ProgramLoader(ORACLE_DATA);
  try {
    return compareWithKernel(programs, loader.load(programs));
  } finally {
    loader.close();
  }
}

/** compareWithKernel compares what the analysis says of programs with what a kernel did. */
export function compareWithKernel(
  programs: readonly OracleProgram[],
  verdicts: readonly Verdict[],
): Comparison {
  const contradictions: string[] = [];
  const counts = new Map<string, number>();
  let [accepted, otherwiseRefused] = [0, 0];
  for (const [p, { code, poisoned, result }] of programs.entries()) {
    const { errno, log } = verdicts[p] ?? { errno: -1, log: 'no verdict' };
    const number = Number(/invalid func unknown#(\d+)/.exec(log)?.[1]);
    const view = new DataView(code.buffer);
    const reached = poisoned.find((i) => view.getInt32(8 * i + 4, true) === number);
    for (const { reach } of result.instructions.values()) counts.set(reach, (counts.get(reach) ?? 0) + 1);
    if (errno === 0 && poisoned.length > 0) accepted += 1;
    if (errno !== 0 && reached === undefined) otherwiseRefused += 1;
    const always = poisoned.find((i) => result.instructions.get(i)?.reach === 'ALWAYS');
    if (reached !== undefined && isNever(result, reached))
      contradictions.push(`never at ${reached}: ${hexOf(code)}: ${log}`);
    if (always !== undefined && errno === 0) contradictions.push(`always at ${always}: ${hexOf(code)}`);
  }
  return { contradictions, accepted, otherwiseRefused, reach: counts };
}

function hexOf(code: Uint8Array): string {
  return Buffer.from(code).toString('hex').replaceAll(/.{16}/g, '$& ');
}
