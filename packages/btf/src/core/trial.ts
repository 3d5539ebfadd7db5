import type { CoreRelocation, RelocationKind } from '../ext/records.js';
import { BtfReadError } from '../format-error.js';
import type { BpfObject } from '../object/bpf-object.js';
import { Instructions } from '../object/instructions.js';
import type { BpfProgram } from '../object/programs.js';
import type { CorePath } from './access.js';
import type { CandidateType, Candidates } from './candidates.js';
import type { Fix } from './calculate.js';
import type { CoreTypes } from './core-types.js';
import type { Comparisons, Tried } from './comparisons.js';
import { CANDIDATE_STEPS } from './match.js';
import { type CorePatch, patchInstruction } from './patch.js';
import type { CoreWork } from './refusal.js';
import { renderType } from './render.js';
import type { CoreOutcome, ResolvedRelocation } from './resolution.js';
import type { LoaderRules } from './rules/loader-rules.js';

/** Located is a relocation with the program that has its instruction. */
export interface Located {
  readonly record: CoreRelocation;
  readonly index: number;
  readonly section: string;
  readonly program: BpfProgram | null;
  readonly instruction: number;
}

/** Job is everything that resolving the relocations of an object needs. */
export interface Job {
  readonly object: BpfObject;
  readonly programs: readonly BpfProgram[];
  readonly isLoaded: (program: BpfProgram) => boolean;
  readonly located: readonly Located[];
  readonly rules: LoaderRules;
  readonly work: CoreWork;
  readonly local: CoreTypes;
  readonly candidates: Candidates;
  readonly comparisons: Comparisons;
}

/** More candidates are counted, but not described. */
const MAX_DESCRIBED = 16;

/** Trial collects what is known of a relocation while it is resolved. */
export class Trial {
  readonly located: Located;
  readonly #job: Job;
  readonly #loadedFor: BpfProgram | null;
  local: CorePath | null = null;
  fix: Fix | null = null;
  patch: CorePatch | null = null;
  /** The candidate whose value counts; null if none matches. */
  chosen: Tried | null = null;
  /** The first candidate, and the first that does not match. */
  first: Tried | null = null;
  failed: Tried | null = null;
  /** The number of candidates, and the first of them. */
  count = 0;
  readonly #described: Tried[] = [];

  constructor(job: Job, located: Located, loadedFor: BpfProgram | null) {
    this.#job = job;
    this.located = located;
    this.#loadedFor = loadedFor;
  }

  /** Compares a candidate, and remembers it. */
  try(kind: RelocationKind, local: CorePath, candidate: CandidateType): Tried {
    return this.#remember(this.#job.comparisons.compare(kind, local, candidate));
  }

  /** Remembers a candidate that was not compared. */
  skip(candidate: CandidateType, reason: string): Tried {
    this.#job.work.step(CANDIDATE_STEPS);
    return this.#remember({ candidate, path: null, reason });
  }

  #remember(tried: Tried): Tried {
    this.count += 1;
    if (this.#described.length < MAX_DESCRIBED) this.#described.push(tried);
    this.first ??= tried;
    if (tried.path === null) this.failed ??= tried;
    return tried;
  }

  /** Writes the fix into the instructions of the program that is loaded. */
  write(instructions: Instructions, fix: Fix): void {
    this.patch = patchInstruction(instructions, this.located.instruction, fix, this.#job.rules);
  }

  /** The outcome of the fix that was written. */
  outcome(): CoreOutcome {
    if (this.patch?.part === 'POISON') return 'POISONED';
    const isFound = this.located.record.kind === 'TYPE_ID_LOCAL' || isMatch(this.chosen);
    return isFound ? 'RESOLVED' : 'ABSENT';
  }

  result(outcome: CoreOutcome, reason: string): ResolvedRelocation {
    const { record, index, section, program, instruction } = this.located;
    const { kind, kindNumber } = record;
    const sort = kind ?? 'TYPE_EXISTS';
    const { comparisons } = this.#job;
    return {
      index,
      section,
      program,
      loadedFor: this.#loadedFor,
      instruction,
      kind,
      kindNumber,
      local: this.local === null || this.local.failure !== null ? null : comparisons.place(sort, this.local),
      outcome,
      localValue: this.fix?.local ?? 0n,
      targetValue: this.fix?.target ?? 0n,
      localSize: this.fix?.localSize ?? 0,
      targetSize: this.fix?.targetSize ?? 0,
      match: isMatch(this.chosen) ? comparisons.candidate(sort, this.chosen) : null,
      candidates: comparisons.candidates(sort, this.#described),
      candidateCount: this.count,
      patch: this.patch,
      reason,
    };
  }
}

function isMatch(tried: Tried | null): tried is Tried {
  return tried !== null && tried.path !== null;
}

/**
 * refusalOf returns the text of an error by which a loader refuses a relocation.
 *
 * @throws the error itself, if it is not one of those.
 */
export function refusalOf(error: unknown, { isSpent }: CoreWork): string {
  if (!(error instanceof BtfReadError) || isSpent) throw error;
  return error.message;
}

/** ProgramCopies has copies of the instructions of programs, which relocations change one after the other. */
export class ProgramCopies {
  readonly #job: Job;
  readonly #copies = new Map<BpfProgram, Instructions>();

  constructor(job: Job) {
    this.#job = job;
  }

  of(program: BpfProgram): Instructions {
    const known = this.#copies.get(program);
    if (known !== undefined) return known;
    const { object, work } = this.#job;
    // A large subprogram may be part of thousands of programs.
    work.step(program.count);
    const copy = new Instructions(new Uint8Array(program.bytes), object.elf.byteOrder);
    this.#copies.set(program, copy);
    return copy;
  }
}

/** failureReason says why a relocation is not resolved, from the candidates that were compared. */
export function failureReason({ count, chosen, failed, first, fix }: Trial): string {
  const decisive = chosen ?? failed ?? first;
  if (decisive === null) return 'the kernel has no such type';
  if (decisive.path === null) {
    const name = renderType(decisive.candidate.types, decisive.candidate.typeId);
    const others = count > 1 && chosen === null ? `, nor does any of ${count - 1} others match` : '';
    return `${name} ${decisive.reason}${others}`;
  }
  const { localSize = 0, targetSize = 0 } = fix ?? {};
  return localSize === targetSize
    ? 'the type is one of a module, whose ids the loader does not write'
    : `the member has ${localSize} bytes in the object and ${targetSize} in the kernel, which the instruction cannot take`;
}

/** missingType returns the reason for a root type that the object does not have. */
export function missingType({ typeId }: CoreRelocation): string {
  return `the object has no type id ${typeId}`;
}
