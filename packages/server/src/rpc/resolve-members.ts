import { setImmediate } from 'node:timers/promises';
import type { MemberResultSchema } from '@btfd/api';
import { BtfFormatError, formatTypeName, resolveMember, type Spec } from '@btfd/btf';
import { checkCount, invalidRequest } from '../error/invalid-request.js';
import type { Init } from '../grpc/message-init.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from '../handle/facts.js';
import type { Services } from '../services.js';
import { requireBase } from '../spec/find-base.js';
import { requireSpecName } from '../spec/spec-name.js';

const MAX_PATHS = 1_000;
const MAX_PATH_LENGTH = 1_024;
/** A type's name in C can be longer than anything: a function of functions. */
const MAX_TYPE_NAME_LENGTH = 256;
/** The path and what is wrong with it; a result stays below a kilobyte. */
const MAX_ERROR_LENGTH = 900;

/** resolveMembers serves ResolveMembers. */
export function resolveMembers({ specs }: Services): Rpc<'resolveMembers'> {
  return async ({ source, paths, base }, { signal, caller, record }) => {
    const name = requireSpecName(source);
    checkCount('paths', paths, MAX_PATHS);
    for (const [index, path] of paths.entries()) {
      if (path.length > MAX_PATH_LENGTH) {
        throw invalidRequest(`paths[${index}]`, `has more than ${MAX_PATH_LENGTH} characters`);
      }
    }
    using object = await specs.find(name, caller);
    record?.note(factsOf(object.info));
    const types = object.btf.spec(await requireBase(object, base, specs, caller));
    const results: Init<typeof MemberResultSchema>[] = [];
    for (const path of paths) {
      results.push(resultOf(types, path));
      // A path into hostile types takes milliseconds.
      await setImmediate();
      signal.throwIfAborted();
    }
    return { results, digest: object.btf.digest };
  };
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
