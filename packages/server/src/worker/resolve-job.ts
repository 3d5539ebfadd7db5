import { create, toBinary } from '@bufbuild/protobuf';
import { ResolveMembersResponseSchema, type MemberResultSchema } from '@btfd/api';
import { BtfFormatError, formatTypeName, resolveMember, type Spec } from '@btfd/btf';
import type { Init } from '../grpc/message-init.js';
import type { ResolveJob, Steps } from './job.js';
import type { SpecCache } from './spec-cache.js';

/** A type's name in C can be longer than anything: a function of functions. */
const MAX_TYPE_NAME_LENGTH = 256;
/** The path and what is wrong with it; a result stays below a kilobyte. */
const MAX_ERROR_LENGTH = 900;
/** A path of an ordinary kernel takes microseconds; one into hostile types milliseconds. */
const PATHS_PER_STEP = 8;

/** resolveSteps do a ResolveJob. */
export function* resolveSteps(job: ResolveJob, specs: SpecCache): Steps<Uint8Array> {
  const spec = specs.get(job.btf, job.base);
  const results: Init<typeof MemberResultSchema>[] = [];
  for (const path of job.paths) {
    if (results.length > 0 && results.length % PATHS_PER_STEP === 0) yield null;
    results.push(resultOf(spec, path));
  }
  const response = create(ResolveMembersResponseSchema, { results, digest: job.digest });
  yield toBinary(ResolveMembersResponseSchema, response);
}

function resultOf(spec: Spec, path: string): Init<typeof MemberResultSchema> {
  try {
    const { bitOffset, bitSize, bitfield, typeId, containerId, dereferences } = resolveMember(spec, path);
    return {
      result: {
        case: 'member',
        value: {
          bitOffset: BigInt(bitOffset),
          bitSize: BigInt(bitSize),
          bitfield,
          typeId,
          containerId,
          typeName: formatTypeName(spec, typeId).slice(0, MAX_TYPE_NAME_LENGTH),
          dereferences: dereferences.map((step) => ({
            bitOffset: BigInt(step.bitOffset),
            typeId: step.typeId,
            targetId: step.targetId,
            tags: [...step.tags],
          })),
        },
      },
    };
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    return { result: { case: 'error', value: { message: error.message.slice(0, MAX_ERROR_LENGTH) } } };
  }
}
