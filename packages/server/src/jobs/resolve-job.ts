import { create, toBinary } from '@bufbuild/protobuf';
import {
  type CandidateFields,
  encodeMemberError,
  type MemberErrorFields,
  type MemberResult,
  MemberResultSchema,
  ResolveMembersResponseSchema,
} from '@btfd/api';
import { BtfReadError, MemberPathError, type ResolveOptions, type Spec } from '@btfd/btf';
import {
  fits,
  headOf,
  MAX_RESULT_BYTES,
  memberFields,
  memberResult,
  STEPS_PER_LOOK,
  stepsOfPath,
  typeNameOf,
} from '../base/member-result.js';
import type { ResolveJob, Steps } from '../pool/job.js';
import type { SpecCache } from './spec-cache.js';
import { WorkBudget } from '../base/work-budget.js';

const MAX_CANDIDATE_NAME_BYTES = 64;
/** The limit of a message, which has the path and the problem. */
const MAX_ERROR_BYTES = 900;
/** The same if candidates follow: five of them fit. */
const MAX_AMBIGUOUS_BYTES = 480;

/** The cost of the names that an error suggests: milliseconds. */
const STEPS_PER_SUGGESTION = 1_000_000;
/** How many paths may have suggestions. They help somebody who reads them. */
const MAX_SUGGESTIONS = 64;

/**
 * resolveSteps returns the steps of a ResolveJob.
 *
 * @throws ServiceError WORK_TOO_LARGE if the paths take too many steps.
 */
export function* resolveSteps(
  job: ResolveJob,
  specs: SpecCache,
  budget = new WorkBudget(),
): Steps<Uint8Array> {
  const spec = specs.get(job.btf, job.base);
  const results: MemberResult[] = [];
  let suggestions = 0;
  for (const path of job.paths) {
    let isTurnOver = false;
    const spend = (steps: number): void => {
      isTurnOver = budget.spend(steps, 'paths') || isTurnOver;
    };
    const onLooks = (looks: number): void => spend(looks * STEPS_PER_LOOK);
    const suggest = suggestions < MAX_SUGGESTIONS;
    const result = boundedResult(spec, path, { onLooks, suggest });
    results.push(result);
    const isError = result.result.case === 'error';
    if (isError && suggest) suggestions += 1;
    spend(stepsOfPath(path));
    if (isError && suggest) spend(STEPS_PER_SUGGESTION);
    if (isTurnOver) yield null;
  }
  const response = create(ResolveMembersResponseSchema, { results, digest: job.digest });
  yield toBinary(ResolveMembersResponseSchema, response);
}

/** Limits a result: a path may cross many pointers, each with any number of long tags. */
function boundedResult(spec: Spec, path: string, options: ResolveOptions): MemberResult {
  const result = resultOf(spec, path, options);
  if (fits(result)) return result;
  return failed({
    message: `the result for ${path} has more than ${MAX_RESULT_BYTES} bytes: resolve it in parts`,
    code: 'RESULT_TOO_LARGE',
  });
}

function resultOf(spec: Spec, path: string, options: ResolveOptions): MemberResult {
  try {
    return memberResult(spec, path, options);
  } catch (error) {
    if (error instanceof MemberPathError) return pathFailed(spec, error, options);
    if (error instanceof BtfReadError) return failed({ message: error.message, code: 'UNREADABLE' });
    throw error;
  }
}

function pathFailed(spec: Spec, error: MemberPathError, options: ResolveOptions): MemberResult {
  const { message, problem: code, step, candidates } = error;
  const fields = { message, code, step, candidateCount: candidates.length };
  try {
    return failed(fields, candidateFields(spec, error, options));
  } catch (unnamed) {
    // A candidate whose type has no name in C.
    if (unnamed instanceof BtfReadError) return failed(fields);
    throw unnamed;
  }
}

/** Returns an error, with as many of the candidates as fit. */
function failed(
  error: Pick<MemberErrorFields, 'message' | 'code'> & Partial<MemberErrorFields>,
  possible: Iterable<CandidateFields> = [],
): MemberResult {
  const { code, step = -1, candidateCount = 0 } = error;
  const message = headOf(error.message, candidateCount === 0 ? MAX_ERROR_BYTES : MAX_AMBIGUOUS_BYTES);
  const withCandidates = (candidates: readonly CandidateFields[]): MemberResult => {
    const value = encodeMemberError({ message, code, step, candidates, candidateCount });
    return create(MemberResultSchema, { result: { case: 'error', value } });
  };
  const candidates: CandidateFields[] = [];
  let result = withCandidates([]);
  for (const candidate of possible) {
    candidates.push(candidate);
    const more = withCandidates(candidates);
    if (!fits(more)) break;
    result = more;
  }
  return result;
}

function* candidateFields(
  spec: Spec,
  { candidates }: MemberPathError,
  options: ResolveOptions,
): Generator<CandidateFields, void, undefined> {
  for (const { typeId, member } of candidates) {
    yield {
      typeId,
      typeName: typeNameOf(spec, typeId, MAX_CANDIDATE_NAME_BYTES, options),
      inBase: typeId < spec.firstTypeId,
      member: member === null ? null : memberFields(spec, member, options),
    };
  }
}
