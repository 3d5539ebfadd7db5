import { ErrorReason, type LoadHandleRequest, type Type as TypeMessage } from '@btfd/api';
import { BtfBuildError, BtfFormatError, Builder, Spec, type MarshalOptions } from '@btfd/btf';
import { invalidRequest } from '../error/invalid-request.js';
import { ServiceError } from '../error/service-error.js';
import type { KernelFeatures } from '../kernel/features.js';
import { newTypeOf } from './new-type.js';

/**
 * btfToLoad is the raw BTF of a request: the one given, or one built of the types given; either for
 * this kernel if the request wants it adapted.
 *
 * @throws ServiceError with INVALID_REQUEST or BTF_UNBUILDABLE.
 */
export async function btfToLoad(
  { source, adaptToKernel }: LoadHandleRequest,
  features: KernelFeatures,
): Promise<Uint8Array> {
  const options = adaptToKernel ? await features.marshalOptions() : null;
  switch (source.case) {
    case 'rawBtf':
      if (source.value.length === 0) throw invalidRequest('raw_btf', 'is empty');
      return options === null || !downgrades(options) ? source.value : adapted(source.value, options);
    case 'types':
      return built(source.value.types, options ?? {});
    case undefined:
      break;
  }
  throw invalidRequest('source', 'is required');
}

/** Whether writing with the options can change what is written. */
function downgrades(options: MarshalOptions): boolean {
  const { stripFuncLinkage, replaceDeclTags, replaceTypeTags, replaceEnum64 } = options;
  return [stripFuncLinkage, replaceDeclTags, replaceTypeTags, replaceEnum64].includes(true);
}

function adapted(rawBtf: Uint8Array, options: MarshalOptions): Uint8Array {
  return orUnbuildable(() => {
    const spec = Spec.parse(rawBtf);
    const builder = new Builder({ deduplicate: false });
    builder.addAllFrom(spec, ownIds(spec));
    return builder.marshal({ ...options, byteOrder: spec.byteOrder });
  });
}

function built(types: readonly TypeMessage[], options: MarshalOptions): Uint8Array {
  if (types.length === 0) throw invalidRequest('types', 'is empty');
  const builder = new Builder({ deduplicate: false });
  for (const [index, message] of types.entries()) {
    const path = `types.types[${index}]`;
    if (message.continued) throw invalidRequest(`${path}.continued`, 'a type must come whole');
    if (message.id !== index + 1)
      throw invalidRequest(`${path}.id`, `is ${message.id} instead of ${index + 1}`);
    orUnbuildable(() => builder.add(newTypeOf(message, path)));
  }
  return orUnbuildable(() => builder.marshal(options));
}

function* ownIds({ firstTypeId, endTypeId }: Spec): Generator<number, void, void> {
  for (let id = firstTypeId; id < endTypeId; id++) yield id;
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
