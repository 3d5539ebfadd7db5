import { create, toBinary } from '@bufbuild/protobuf';
import { encodeMember, MemberResultSchema, ResolveMembersResponseSchema, type MemberResult } from '@btfd/api';
import { BtfFormatError, formatTypeName, resolveMember, type ResolveOptions, type Spec } from '@btfd/btf';
import type { ResolveJob, Steps } from '../pool/job.js';
import type { SpecCache } from './spec-cache.js';
import { WorkBudget } from './work-budget.js';

/** The size limit of a result, whatever the types are. */
const MAX_RESULT_BYTES = 1024;
/** A type's name in C can be very long, such as that of a function that takes functions. */
const MAX_TYPE_NAME_BYTES = 256;
/** The limit of a message, which has the path and the problem. */
const MAX_ERROR_BYTES = 900;
/** The cost of a path, and of each of its characters: a few characters may follow a long chain of types. */
const STEPS_PER_PATH = 2_000;
const STEPS_PER_CHARACTER = 100;
/** The cost of a type or a member that is looked at, with the decoding of its struct. */
const STEPS_PER_LOOK = 80;
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
    spend(STEPS_PER_PATH + path.length * STEPS_PER_CHARACTER);
    if (isError && suggest) spend(STEPS_PER_SUGGESTION);
    if (isTurnOver) yield null;
  }
  const response = create(ResolveMembersResponseSchema, { results, digest: job.digest });
  yield toBinary(ResolveMembersResponseSchema, response);
}

/** Limits a result: a path may cross many pointers, each with any number of long tags. */
function boundedResult(spec: Spec, path: string, options: ResolveOptions): MemberResult {
  const result = resultOf(spec, path, options);
  if (toBinary(MemberResultSchema, result).length <= MAX_RESULT_BYTES) return result;
  return failed(`the result for ${path} has more than ${MAX_RESULT_BYTES} bytes: resolve it in parts`);
}

function failed(message: string): MemberResult {
  return create(MemberResultSchema, {
    result: { case: 'error', value: { message: headOf(message, MAX_ERROR_BYTES) } },
  });
}

/** Returns the beginning of a text, at most `maxBytes` bytes of UTF-8. */
function headOf(text: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}

function resultOf(spec: Spec, path: string, options: ResolveOptions): MemberResult {
  try {
    const member = resolveMember(spec, path, options);
    const typeName = headOf(formatTypeName(spec, member.typeId), MAX_TYPE_NAME_BYTES);
    return create(MemberResultSchema, {
      result: { case: 'member', value: encodeMember({ ...member, typeName }) },
    });
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    return failed(error.message);
  }
}
