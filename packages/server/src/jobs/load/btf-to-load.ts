import { ErrorReason, TypeListSchema, type Type as TypeMessage } from '@btfd/api';
import { BtfBuildError, BtfFormatError, Builder, Spec, type MarshalOptions } from '@btfd/btf';
import { invalidRequest, ServiceError } from '../../error/service-error.js';
import { decodeRequest } from '../../base/message.js';
import type { LoadSource } from '../../pool/job.js';
import { newTypeOf } from '../type-message.js';

/** Types decoded and added in a step: a few milliseconds. */
const TYPES_PER_STEP = 1_000;

/**
 * btfToLoad returns the raw BTF of a source, which is raw BTF or types to build it from. The generator yields when other
 * jobs may have a turn.
 *
 * @param adapt how BTF is written for this kernel, or null to load raw BTF as it is.
 * @throws ServiceError INVALID_REQUEST if the list of types is invalid.
 * @throws ServiceError BTF_UNBUILDABLE if the types do not make valid BTF, or raw BTF cannot be adapted.
 */
export function* btfToLoad(
  { case: kind, value }: LoadSource,
  adapt: MarshalOptions | null,
): Generator<null, Uint8Array, void> {
  if (kind === 'types') return yield* built(decodeRequest(TypeListSchema, value).types, adapt ?? {});
  return adapt === null || !downgrades(adapt) ? value : adapted(value, adapt);
}

/** Reports whether the options can change the BTF. */
function downgrades(options: MarshalOptions): boolean {
  const { stripFuncLinkage, replaceDeclTags, replaceTypeTags, replaceEnum64 } = options;
  return [stripFuncLinkage, replaceDeclTags, replaceTypeTags, replaceEnum64].includes(true);
}

function adapted(rawBtf: Uint8Array, options: MarshalOptions): Uint8Array {
  return orUnbuildable(() => {
    const spec = Spec.parse(rawBtf);
    const builder = new Builder({ deduplicate: false });
    builder.addAllFrom(spec, spec.typeIds());
    return builder.marshal({ ...options, byteOrder: spec.byteOrder });
  });
}

function* built(types: readonly TypeMessage[], options: MarshalOptions): Generator<null, Uint8Array, void> {
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
  return orUnbuildable(() => builder.marshal(options));
}

function orUnbuildable<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof BtfBuildError || error instanceof BtfFormatError)) throw error;
    throw new ServiceError(ErrorReason.BTF_UNBUILDABLE, `the BTF cannot be built: ${error.message}`, {
      metadata: error.typeId === null ? {} : { type_id: String(error.typeId) },
      cause: error,
    });
  }
}
