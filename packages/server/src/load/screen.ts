import { ErrorReason } from '@btfd/api';
import { BtfFormatError, Spec, type TypeId } from '@btfd/btf';
import { ServiceError } from '../error/service-error.js';
import { checkCost } from './check-cost.js';
import { mayHaveSpecialTypes } from './special-types.js';
import { hasNewKinds, unjudgedType, type KindLayout } from './unknown-kinds.js';

/**
 * screen refuses BTF whose check would keep the kernel for too long. What is malformed, the kernel refuses at once with
 * a log that says why, so it goes there. What is only unknown here, a later kernel may take: it goes there if nothing in
 * the BTF has a name for which the kernel would search, or if unknown kinds have the size that the kernel's BTF tells.
 *
 * @param kernelLayout the layout section of the kernel's own BTF.
 * @throws ServiceError with BTF_TOO_EXPENSIVE; BTF_UNBUILDABLE for what cannot be judged.
 */
export function* screen(
  rawBtf: Uint8Array,
  maxCheckMs: number,
  kernelLayout: KindLayout,
): Generator<null, void, void> {
  if (!mayHaveSpecialTypes(rawBtf)) return;
  let estimate: number;
  try {
    const spec = Spec.parse(rawBtf);
    const typeId = yield* unjudgedType(spec, kernelLayout);
    if (typeId !== null) {
      throw unjudged(`the size of kind ${spec.kindOf(typeId)} is not known, type id ${typeId}`, typeId);
    }
    estimate = yield* checkCost(spec);
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    // Behind a type whose size is a lie, anything looks malformed.
    if (error.code !== 'UNSUPPORTED' && !hasNewKinds(rawBtf)) return;
    throw unjudged(error.message, error.typeId, error);
  }
  if (estimate <= maxCheckMs) return;
  const words = estimate < 1e7 ? `some ${Math.ceil(estimate / 1000)} seconds` : 'hours or longer';
  throw new ServiceError(
    ErrorReason.BTF_TOO_EXPENSIVE,
    `the kernel would search for ${words} when it checks the BTF; ${maxCheckMs / 1000} seconds are allowed`,
    { metadata: { estimate_ms: String(Math.ceil(estimate)), limit_ms: String(maxCheckMs) } },
  );
}

function unjudged(message: string, typeId: TypeId | null, cause?: BtfFormatError): ServiceError {
  return new ServiceError(ErrorReason.BTF_UNBUILDABLE, `the BTF cannot be judged: ${message}`, {
    metadata: typeId === null ? {} : { type_id: String(typeId) },
    ...(cause === undefined ? {} : { cause }),
  });
}
