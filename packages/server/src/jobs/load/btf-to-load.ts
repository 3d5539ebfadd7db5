import { ErrorReason, TypeListSchema, type Type as TypeMessage } from '@btfd/api';
import {
  adaptBtf,
  BtfBuildError,
  BtfReadError,
  Builder,
  type KernelFeatures,
  marshalOptionsFor,
} from '@btfd/btf';
import { invalidRequest, ServiceError } from '../../error/service-error.js';
import { decodeRequest } from '../../base/message.js';
import type { LoadSource } from '../../pool/job.js';
import { newTypeOf } from './new-type.js';

/** Types decoded and added in a step: a few milliseconds. */
const TYPES_PER_STEP = 1_000;

/**
 * btfToLoad returns the raw BTF of a source, which is raw BTF or types to build it from. The generator yields when other
 * jobs may have a turn.
 *
 * @param adaptTo the features of the kernel that the BTF is adapted to, or null to load raw BTF as it is.
 * @throws ServiceError INVALID_REQUEST if the list of types is invalid.
 * @throws ServiceError BTF_UNBUILDABLE if the types do not make valid BTF, or adapted BTF is too large.
 */
export function* btfToLoad(
  { case: kind, value }: LoadSource,
  adaptTo: Partial<KernelFeatures> | null,
): Generator<null, Uint8Array, void> {
  if (kind === 'types') return yield* built(decodeRequest(TypeListSchema, value).types, adaptTo);
  return adaptTo === null ? value : adapted(value, adaptTo);
}

/** Adapts raw BTF. BTF that cannot be read stays as it is: the kernel refuses it with a log, or knows more of it. */
function adapted(rawBtf: Uint8Array, features: Partial<KernelFeatures>): Uint8Array {
  return orUnbuildable(() => {
    try {
      return adaptBtf(rawBtf, features);
    } catch (error) {
      if (error instanceof BtfReadError) return rawBtf;
      throw error;
    }
  });
}

function* built(
  types: readonly TypeMessage[],
  adaptTo: Partial<KernelFeatures> | null,
): Generator<null, Uint8Array, void> {
  if (types.length === 0) throw invalidRequest('types', 'is empty');
  const builder = new Builder({ deduplicate: false });
  for (const [index, message] of types.entries()) {
    if (index > 0 && index % TYPES_PER_STEP === 0) yield null;
    const path = `types.types[${index}]`;
    if (message.continued) throw invalidRequest(`${path}.continued`, 'a type to load must be complete');
    if (message.id !== index + 1)
      throw invalidRequest(`${path}.id`, `is ${message.id} instead of ${index + 1}`);
    orUnbuildable(() => builder.add(newTypeOf(message, path)));
  }
  return orUnbuildable(() => builder.marshal(adaptTo === null ? {} : marshalOptionsFor(adaptTo)));
}

function orUnbuildable<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof BtfBuildError || error instanceof BtfReadError)) throw error;
    throw new ServiceError(ErrorReason.BTF_UNBUILDABLE, `the BTF cannot be built: ${error.message}`, {
      metadata: error.typeId === null ? {} : { type_id: String(error.typeId) },
      cause: error,
    });
  }
}
