import { seeded } from 'test-tools/random';
import { mutate } from '../mutate.js';
import type { Coverage } from './coverage.js';

/** FuzzTarget is a function to fuzz. */
export interface FuzzTarget {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /** Bytes that each run reads in addition to its input, such as a base. Default: 0. */
  readonly baseBytes?: number;
  /** Whether only stated limits bound the work, which is then not in proportion to the input. Default: false. */
  readonly boundedBySteps?: boolean;
  /**
   * Throws if hostile bytes end in anything but a value or a typed error.
   *
   * @returns the number of calls that reached a stated limit of work.
   */
  readonly run: (bytes: Uint8Array) => number;
}

/** FuzzReport is the result of a run of the fuzzer. */
export interface FuzzReport {
  readonly target: string;
  readonly inputs: number;
  /** Number of inputs that reached new code, including the seeds. */
  readonly corpus: number;
  /** Number of blocks (by how often they ran) that were reached by the seeds alone, and in the end. */
  readonly seedBlocks: number;
  readonly blocks: number;
  /**
   * The largest number of function calls for each byte that was read and for 256 more, which any input may cost; only
   * of inputs that reached no limit of work.
   */
  readonly callsPerByte: number;
  /** The input that needed them, as base64. */
  readonly worst: string;
  /**
   * The largest number of function calls for each limit of work that was reached, or for an input that reached none.
   */
  readonly callsPerLimit: number;
  /** The input that broke a rule, as base64, and the error; null if there is none. */
  readonly finding: { readonly error: string; readonly input: string } | null;
}

/** Bytes that {@link FuzzReport.callsPerByte} adds to the bytes of an input. */
const ANY_INPUT = 256;

/**
 * coverageFuzz repeatedly mutates inputs that reached new code. The same seed gives the same run as long as V8 counts
 * the same.
 *
 * @param inputs the number of mutants to run.
 */
export function coverageFuzz(
  target: FuzzTarget,
  coverage: Coverage,
  inputs: number,
  seed: number,
): FuzzReport {
  const random = seeded(seed);
  const seen = new Set<string>();
  const corpus: Uint8Array[] = [];
  let callsPerByte = 0;
  let callsPerLimit = 0;
  let worst = new Uint8Array(0);
  let finding: FuzzReport['finding'] = null;
  const run = (bytes: Uint8Array) => {
    coverage.take();
    let limits = 0;
    try {
      limits = target.run(bytes);
    } catch (error) {
      finding = { error: String(error instanceof Error ? error.stack : error), input: base64(bytes) };
    }
    const { blocks, calls } = coverage.take();
    const ratio = calls / (bytes.length + (target.baseBytes ?? 0) + ANY_INPUT);
    callsPerLimit = Math.max(callsPerLimit, calls / Math.max(1, limits));
    if (limits === 0 && ratio > callsPerByte) {
      callsPerByte = ratio;
      worst = bytes.slice();
    }
    const before = seen.size;
    for (const block of blocks) seen.add(block);
    if (seen.size > before) corpus.push(bytes);
  };
  for (const bytes of target.seeds) run(bytes);
  const seedBlocks = seen.size;
  let count = 0;
  for (; count < inputs && finding === null; count++) run(mutant(corpus, random));
  return {
    target: target.name,
    inputs: count,
    corpus: corpus.length,
    seedBlocks,
    blocks: seen.size,
    callsPerByte: Math.ceil(callsPerByte),
    worst: base64(worst),
    callsPerLimit: Math.ceil(callsPerLimit),
    finding,
  };
}

/** One in four mutants has its end from another input. */
function mutant(corpus: readonly Uint8Array[], random: (bound: number) => number): Uint8Array {
  // Half of the choices are among the newest inputs, which reached the most.
  const from = random(2) === 0 ? Math.max(0, corpus.length - 16) : 0;
  const bytes = corpus[from + random(corpus.length - from)] ?? new Uint8Array(0);
  const other = corpus[random(corpus.length)] ?? bytes;
  if (random(4) !== 0) return mutate(bytes, random);
  const cut = random(Math.min(bytes.length, other.length) + 1) & ~3;
  const spliced = new Uint8Array(other.length);
  spliced.set(bytes.subarray(0, cut));
  spliced.set(other.subarray(cut), cut);
  return mutate(spliced, random);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
