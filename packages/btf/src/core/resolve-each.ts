import type { RelocationKind } from '../ext/records.js';
import type { TypeId } from '../types.js';
import type { CorePath } from './access.js';
import { calculateAbsent, type Fix, idFix } from './calculate.js';
import type { CandidateType } from './candidates.js';
import { refusal } from './refusal.js';
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
 * resolveEach resolves one relocation after the other over all programs, as libbpf does. Candidates that do not match one
 * relocation are not candidates for later ones of the same local type.
 */
export function* resolveEach(job: Job): Generator<null, ResolvedRelocation[], void> {
  const candidates = new Map<TypeId, readonly CandidateType[]>();
  const copies = new ProgramCopies(job);
  const results: ResolvedRelocation[] = [];
  for (const located of job.located) {
    results.push(yield* resolveOne(job, located, candidates, copies));
    yield* job.work.pauses();
  }
  return results;
}

/** The steps that a relocation counts as, without its candidates. */
const RELOCATION_STEPS = 16;

function* resolveOne(
  job: Job,
  located: Located,
  candidates: Map<TypeId, readonly CandidateType[]>,
  copies: ProgramCopies,
): Generator<null, ResolvedRelocation, void> {
  const { program } = located;
  const trial = new Trial(job, located, program);
  if (program === null) return trial.result('SKIPPED', 'the instruction is not part of a program');
  if (!job.isLoaded(program)) return trial.result('SKIPPED', `the program ${program.name} is not loaded`);
  try {
    job.work.step(RELOCATION_STEPS);
    const ambiguity = yield* choose(job, located, trial, candidates);
    if (ambiguity !== null) return trial.result('AMBIGUOUS', ambiguity);
    if (trial.fix !== null) trial.write(copies.of(program), trial.fix);
  } catch (error) {
    return trial.result('REFUSED', refusalOf(error, job.work));
  }
  const outcome = trial.outcome();
  return trial.result(outcome, outcome === 'RESOLVED' ? '' : failureReason(trial));
}

/** Sets the fix of a relocation. Returns what is ambiguous; null if nothing is. */
function* choose(
  job: Job,
  { record }: Located,
  trial: Trial,
  candidates: Map<TypeId, readonly CandidateType[]>,
): Generator<null, string | null, void> {
  const { local: types, rules, comparisons } = job;
  const { kind, typeId, access } = record;
  if (kind === null) throw refusal(`unknown kind ${record.kindNumber} of relocation`);
  if (typeId >= types.spec.endTypeId) throw refusal(missingType(record));
  if (kind === 'TYPE_ID_LOCAL') {
    trial.local = comparisons.path(kind, typeId, access);
    trial.fix = idFix(typeId, rules);
    return null;
  }
  const known = candidates.get(typeId) ?? (yield* search(job, typeId));
  candidates.set(typeId, known);
  const local = comparisons.path(kind, typeId, access);
  trial.local = local;
  const matching: CandidateType[] = [];
  let first: { readonly fix: Fix; readonly path: CorePath } | null = null;
  for (const candidate of known) {
    const tried = trial.try(kind, local, candidate);
    yield* job.work.pauses();
    const { path } = tried;
    if (path === null) continue;
    trial.chosen ??= tried;
    const fix = comparisons.fix(kind, local, path);
    if (first !== null) {
      const ambiguity = disagreement(kind, first.path, path, first.fix, fix);
      if (ambiguity !== null) return ambiguity;
    }
    first ??= { fix, path };
    matching.push(candidate);
  }
  if (matching.length > 0) candidates.set(typeId, matching);
  trial.fix = first?.fix ?? calculateAbsent(kind, local, rules);
  return null;
}

function* search(
  { local, candidates }: Job,
  typeId: TypeId,
): Generator<null, readonly CandidateType[], void> {
  if (local.nameOf(typeId) === '') throw refusal('the type has no name, so nothing can stand for it');
  return yield* candidates.findSteps(local, typeId);
}

function disagreement(kind: RelocationKind, a: CorePath, b: CorePath, x: Fix, y: Fix): string | null {
  if (a.bitOffset !== b.bitOffset) {
    return `candidates have it at ${a.bitOffset / 8} and at ${b.bitOffset / 8} bytes`;
  }
  if (x.isPoison === y.isPoison && x.target === y.target) return null;
  return `candidates give ${kind} the values ${x.target} and ${y.target}`;
}
