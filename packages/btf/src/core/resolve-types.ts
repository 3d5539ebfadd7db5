import { BtfFormatError } from '../format-error.js';
import { readCalls } from '../object/calls.js';
import type { BpfProgram } from '../object/programs.js';
import { Kind, type TypeId } from '../types.js';
import { isFieldKind, parseAccess } from './access.js';
import { absent, type Fix, idFix, isExistenceKind } from './calculate.js';
import type { CandidateType } from './candidates.js';
import type { Tried } from './comparisons.js';
import { type CoreWork, refusal } from './refusal.js';
import type { ResolvedRelocation } from './resolution.js';
import {
  failureReason,
  type Job,
  type Located,
  missingType,
  ProgramCopies,
  refusalOf,
  Trial,
} from './trial.js';

/**
 * resolveTypes resolves the relocations of each program together with those of its subprograms, as cilium/ebpf does. All
 * relocations of one local type take the candidate with the fewest that fail. If the loader refuses one of them, it refuses
 * all of them.
 */
export function* resolveTypes(job: Job): Generator<null, ResolvedRelocation[], void> {
  const calls = readCalls(job.object, job.programs);
  const results: ResolvedRelocation[][] = job.located.map(() => []);
  const byProgram = new Map<BpfProgram, number[]>();
  for (const [at, { program }] of job.located.entries()) {
    if (program === null) continue;
    const own = byProgram.get(program);
    if (own === undefined) byProgram.set(program, [at]);
    else own.push(at);
  }
  let count = 0;
  for (const root of job.programs) {
    if (!job.isLoaded(root)) continue;
    const places = [...linkedTo(root, calls, job.work)].flatMap((program) => byProgram.get(program) ?? []);
    count += places.length;
    if (count > MAX_RESULTS) throw tooMany();
    const trials = places.flatMap((at) => {
      const located = job.located[at];
      return located === undefined ? [] : [{ at, trial: new Trial(job, located, root) }];
    });
    const outcomes = yield* new ProgramGroup(
      job,
      trials.map(({ trial }) => trial),
    ).resolve();
    for (const { at, trial } of trials) {
      const outcome = outcomes.get(trial);
      if (outcome !== undefined) results[at]?.push(outcome);
    }
  }
  return results.flatMap((own, at) => {
    const located = job.located[at];
    return own.length > 0 || located === undefined ? own : [skipped(job, located)];
  });
}

/** Each subprogram may be part of each program. The number of relocations that a `.BTF.ext` may have. */
const MAX_RESULTS = 65_536;

function tooMany(): BtfFormatError {
  const message = `subprograms are part of so many programs that there are more than ${MAX_RESULTS} relocations`;
  return new BtfFormatError('LIMIT_EXCEEDED', message);
}

function skipped(job: Job, located: Located): ResolvedRelocation {
  const { program } = located;
  const reason =
    program === null
      ? 'the instruction is not part of a program'
      : `the function ${program.name} is not part of a program that is loaded`;
  return new Trial(job, located, null).result('SKIPPED', reason);
}

/** linkedTo returns a program and the subprograms that it refers to, directly or not, in the order in which they are appended. */
export function linkedTo(
  root: BpfProgram,
  calls: ReadonlyMap<BpfProgram, ReadonlySet<BpfProgram>>,
  work: CoreWork,
): ReadonlySet<BpfProgram> {
  const linked = new Set([root]);
  // A set iterates over what is added meanwhile.
  for (const program of linked) {
    const callees = calls.get(program);
    if (callees === undefined) continue;
    // Thousands of programs may each refer to all others.
    work.step(1 + callees.size);
    for (const callee of callees) linked.add(callee);
  }
  return linked;
}

/** The steps that a relocation counts as, without its candidates. */
const WRITE_STEPS = 16;

/** ProgramGroup resolves the relocations of a program and its subprograms. */
class ProgramGroup {
  readonly #job: Job;
  readonly #trials: readonly Trial[];
  readonly #copies: ProgramCopies;
  readonly #results = new Map<Trial, ResolvedRelocation>();

  constructor(job: Job, trials: readonly Trial[]) {
    this.#job = job;
    this.#trials = trials;
    this.#copies = new ProgramCopies(job);
  }

  *resolve(): Generator<null, ReadonlyMap<Trial, ResolvedRelocation>, void> {
    const groups = new Map<TypeId, Trial[]>();
    for (const trial of this.#lastOfInstructions()) {
      const { typeId, kind, access } = trial.located.record;
      if (kind === 'TYPE_ID_LOCAL') {
        this.#attempt([trial], () => {
          this.#checkRoot(trial);
          const { comparisons, rules } = this.#job;
          trial.local = comparisons.path(kind, typeId, access);
          trial.fix = idFix(typeId, rules);
        });
        continue;
      }
      const group = groups.get(typeId);
      if (group === undefined) groups.set(typeId, [trial]);
      else group.push(trial);
    }
    for (const [typeId, group] of groups) {
      try {
        yield* this.#choose(typeId, group);
      } catch (error) {
        this.#refuse(group, error);
      }
    }
    for (const trial of this.#trials) {
      if (!this.#results.has(trial)) this.#write(trial);
      this.#job.work.step(WRITE_STEPS);
      yield* this.#job.work.pauses();
    }
    return this.#results;
  }

  /** Of several relocations of one instruction, cilium/ebpf keeps the last. */
  #lastOfInstructions(): Trial[] {
    const last = new Map<string, Trial>();
    const keyOf = ({ located: { program, instruction } }: Trial): string =>
      `${program?.sectionIndex} ${program?.start} ${instruction}`;
    for (const trial of this.#trials) last.set(keyOf(trial), trial);
    return this.#trials.filter((trial) => {
      if (last.get(keyOf(trial)) === trial) return true;
      this.#results.set(trial, trial.result('SKIPPED', 'a later relocation is about the same instruction'));
      return false;
    });
  }

  /** Runs a step for relocations that the loader refuses together. */
  #attempt(trials: readonly Trial[], run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#refuse(trials, error);
    }
  }

  #refuse(trials: readonly Trial[], error: unknown): void {
    const reason = refusalOf(error, this.#job.work);
    for (const trial of trials) this.#results.set(trial, trial.result('REFUSED', reason));
  }

  #checkRoot({ located: { record } }: Trial): void {
    if (record.typeId >= this.#job.local.spec.endTypeId) throw refusal(missingType(record));
  }

  *#choose(typeId: TypeId, group: readonly Trial[]): Generator<null, void, void> {
    const { local, candidates, work } = this.#job;
    for (const trial of group) {
      this.#checkRoot(trial);
      parseAccess(trial.located.record.access);
    }
    if (local.nameOf(typeId) === '') throw refusal('the type has no name, so nothing can stand for it');
    let best: readonly Choice[] | null = null;
    let bestScore = group.length;
    for (const candidate of yield* candidates.findSteps(local, typeId)) {
      const choices: Choice[] = [];
      for (const trial of group) {
        choices.push(this.#try(trial, candidate));
        yield* work.pauses();
      }
      const score = choices.filter(({ isFailure }) => isFailure).length;
      if (score > bestScore) continue;
      if (score < bestScore) {
        best = choices;
        bestScore = score;
      } else if (best !== null && !agree(best, choices)) {
        this.#refuseAll(group, 'several types of the kernel match, and disagree');
        return;
      }
    }
    for (const [i, trial] of group.entries()) {
      const choice = best?.[i];
      trial.chosen = choice?.tried ?? null;
      trial.fix = choice?.fix ?? absentFix(trial);
    }
  }

  #refuseAll(group: readonly Trial[], reason: string): void {
    for (const trial of group) this.#results.set(trial, trial.result('AMBIGUOUS', reason));
  }

  #try(trial: Trial, candidate: CandidateType): Choice {
    const { comparisons } = this.#job;
    const { kind, kindNumber, typeId, access } = trial.located.record;
    if (kind === null) throw refusal(`unknown kind ${kindNumber} of relocation`);
    // A declaration is passed over before the access is looked at.
    if (isFieldKind(kind) && candidate.types.kindOf(candidate.types.skip(candidate.typeId)) === Kind.FWD) {
      const tried = trial.skip(candidate, 'is only declared');
      return { tried, fix: absentFix(trial), isFailure: true };
    }
    trial.local ??= comparisons.path(kind, typeId, access);
    const tried = trial.try(kind, trial.local, candidate);
    const fix = tried.path === null ? absentFix(trial) : comparisons.fix(kind, trial.local, tried.path);
    return { tried, fix, isFailure: fix.isPoison || (isExistenceKind(kind) && fix.target === 0n) };
  }

  #write(trial: Trial): void {
    const { program } = trial.located;
    this.#attempt([trial], () => {
      if (program !== null && trial.fix !== null) trial.write(this.#copies.of(program), trial.fix);
      const outcome = trial.outcome();
      this.#results.set(trial, trial.result(outcome, outcome === 'RESOLVED' ? '' : failureReason(trial)));
    });
  }
}

/** Choice is what a relocation becomes with a candidate. */
interface Choice {
  readonly tried: Tried;
  readonly fix: Fix;
  readonly isFailure: boolean;
}

function agree(a: readonly Choice[], b: readonly Choice[]): boolean {
  return a.every(({ fix }, i) => fix.local === b[i]?.fix.local && fix.target === b[i].fix.target);
}

function absentFix({ located: { record } }: Trial): Fix {
  return absent(record.kind !== null && isExistenceKind(record.kind));
}
