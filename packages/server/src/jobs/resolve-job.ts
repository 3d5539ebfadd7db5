import { create, toBinary } from '@bufbuild/protobuf';
import { encodeMember, MemberResultSchema, ResolveMembersResponseSchema, type MemberResult } from '@btfd/api';
import { BtfFormatError, formatTypeName, resolveMember, type Spec } from '@btfd/btf';
import type { ResolveJob, Steps } from '../pool/job.js';
import type { SpecCache } from './spec-cache.js';

/** The size limit of a result, whatever the types are. */
const MAX_RESULT_BYTES = 1024;
/** A type's name in C can be very long, such as that of a function that takes functions. */
const MAX_TYPE_NAME_BYTES = 256;
/** The limit of a message, which has the path and the problem. */
const MAX_ERROR_BYTES = 900;
/** A path takes microseconds, or milliseconds if its type is misspelt or the types are hostile. */
const PATHS_PER_STEP = 8;

/** resolveSteps returns the steps of a ResolveJob. */
export function* resolveSteps(job: ResolveJob, specs: SpecCache): Steps<Uint8Array> {
  const spec = specs.get(job.btf, job.base);
  const results: MemberResult[] = [];
  for (const path of job.paths) {
    if (results.length > 0 && results.length % PATHS_PER_STEP === 0) yield null;
    results.push(boundedResult(spec, path));
  }
  const response = create(ResolveMembersResponseSchema, { results, digest: job.digest });
  yield toBinary(ResolveMembersResponseSchema, response);
}

/** Limits a result: a path may cross many pointers, each with any number of long tags. */
function boundedResult(spec: Spec, path: string): MemberResult {
  const result = resultOf(spec, path);
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

function resultOf(spec: Spec, path: string): MemberResult {
  try {
    const member = resolveMember(spec, path);
    const typeName = headOf(formatTypeName(spec, member.typeId), MAX_TYPE_NAME_BYTES);
    return create(MemberResultSchema, {
      result: { case: 'member', value: encodeMember({ ...member, typeName }) },
    });
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    return failed(error.message);
  }
}
