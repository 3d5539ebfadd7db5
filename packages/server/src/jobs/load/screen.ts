import { ErrorReason } from '@btfd/api';
import { BtfFormatError, Spec, type TypeId } from '@btfd/btf';
import { ServiceError } from '../../error/service-error.js';
import { checkCost } from './check-cost.js';
import { functionCost, mostFunctionCost } from './function-cost.js';
import { mayHaveSpecialTypes } from './special-types.js';
import { hasNewKinds, type KindLayout } from '../../base/kind-layout.js';
import { unjudgedType } from './unknown-kinds.js';

/**
 * screen refuses BTF whose check would keep the kernel for too long. What is malformed, the kernel refuses at once with
 * a log that says why, so it goes there. What is only unknown here, a later kernel may take: it goes there if nothing in
 * the BTF has a name for which the kernel would search and it is too small for anything else to take long, or if unknown
 * kinds have the size that the kernel's BTF tells.
 *
 * @param kernelLayout the layout section of the kernel's own BTF.
 * @throws ServiceError with BTF_TOO_EXPENSIVE; BTF_UNBUILDABLE for what cannot be judged.
 */
export function* screen(
  rawBtf: Uint8Array,
  maxCheckMs: number,
  kernelLayout: KindLayout,
): Generator<null, void, void> {
  const harmless = !mayHaveSpecialTypes(rawBtf) && mostFunctionCost(rawBtf.length) <= maxCheckMs;
  if (harmless) return;
  const spec = yield* judgeable(rawBtf, kernelLayout);
  if (spec === null) return;
  const estimate = yield* estimated(spec);
  if (estimate <= maxCheckMs) return;
  const words = estimate < 1e7 ? `some ${Math.ceil(estimate / 1000)} seconds` : 'hours or longer';
  throw new ServiceError(
    ErrorReason.BTF_TOO_EXPENSIVE,
    `the kernel would search for ${words} when it checks the BTF; ${maxCheckMs / 1000} seconds are allowed`,
    { metadata: { estimate_ms: String(Math.ceil(estimate)), limit_ms: String(maxCheckMs) } },
  );
}

/** The types as the kernel finds them, or null where it finds none. */
function* judgeable(rawBtf: Uint8Array, kernelLayout: KindLayout): Generator<null, Spec | null, void> {
  let spec: Spec;
  try {
    spec = Spec.parse(rawBtf);
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    // Behind a type whose size is a lie, anything looks malformed.
    if (error.code !== 'UNSUPPORTED' && !hasNewKinds(rawBtf)) return null;
    throw unjudged(error.message, error.typeId, error);
  }
  const typeId = yield* unjudgedType(spec, kernelLayout);
  if (typeId === null) return spec;
  throw unjudged(`the size of kind ${spec.kindOf(typeId)} is not known, type id ${typeId}`, typeId);
}

/** How long the kernel's check takes. It does not come to the search where types are wrong. */
function* estimated(spec: Spec): Generator<null, number, void> {
  let estimate = 0;
  try {
    estimate += yield* functionCost(spec);
    estimate += yield* checkCost(spec);
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    // More than is read here need not be more than the kernel reads.
    if (error.code === 'LIMIT_EXCEEDED') throw unjudged(error.message, error.typeId, error);
  }
  return estimate;
}

function unjudged(message: string, typeId: TypeId | null, cause?: BtfFormatError): ServiceError {
  return new ServiceError(ErrorReason.BTF_UNBUILDABLE, `the BTF cannot be judged: ${message}`, {
    metadata: typeId === null ? {} : { type_id: String(typeId) },
    ...(cause === undefined ? {} : { cause }),
  });
}
