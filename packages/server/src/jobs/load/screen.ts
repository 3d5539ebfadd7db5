import { ErrorReason } from '@btfd/api';
import { BtfFormatError, Spec, type TypeId } from '@btfd/btf';
import { ServiceError } from '../../error/service-error.js';
import { checkCost } from './check-cost.js';
import { functionCost, mostFunctionCost } from './function-cost.js';
import { mayHaveSpecialTypes } from './special-types.js';
import { hasNewKinds, type KindLayout } from '../../base/kind-layout.js';
import { unknownSizeType } from './unknown-kinds.js';

/**
 * screen refuses BTF that the kernel would take too long to check. Malformed BTF passes, because the kernel refuses it at
 * once with a log. BTF with unknown kinds passes, because a later kernel may know them, if one of these holds:
 *
 * - No string in it is a name that the kernel searches for, and it is too small for the rest of the check to take long.
 * - The layout section of the kernel's own BTF states the same sizes for these kinds.
 *
 * @param kernelLayout the layout section of the kernel's own BTF.
 * @throws ServiceError BTF_TOO_EXPENSIVE if the check would take longer than `maxCheckMs` by estimate.
 * @throws ServiceError BTF_UNBUILDABLE if the check cannot be estimated.
 */
export function* screen(
  rawBtf: Uint8Array,
  maxCheckMs: number,
  kernelLayout: KindLayout,
): Generator<null, void, void> {
  const harmless = !mayHaveSpecialTypes(rawBtf) && mostFunctionCost(rawBtf.length) <= maxCheckMs;
  if (harmless) return;
  const spec = yield* searchableTypes(rawBtf, kernelLayout);
  if (spec === null) return;
  const estimate = yield* estimated(spec);
  if (estimate <= maxCheckMs) return;
  const words = estimate < 1e7 ? `about ${Math.ceil(estimate / 1000)} seconds` : 'hours or longer';
  throw new ServiceError(
    ErrorReason.BTF_TOO_EXPENSIVE,
    `the kernel would search for ${words} when it checks the BTF; ${maxCheckMs / 1000} seconds are allowed`,
    { metadata: { estimate_ms: String(Math.ceil(estimate)), limit_ms: String(maxCheckMs) } },
  );
}

/** Returns the types as the kernel reads them, or null if the kernel refuses the BTF before it searches. */
function* searchableTypes(rawBtf: Uint8Array, kernelLayout: KindLayout): Generator<null, Spec | null, void> {
  let spec: Spec;
  try {
    spec = Spec.parse(rawBtf);
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    // After a type whose stated size is wrong, everything looks malformed.
    if (error.code !== 'UNSUPPORTED' && !hasNewKinds(rawBtf)) return null;
    throw notEstimated(error.message, error.typeId, error);
  }
  const typeId = yield* unknownSizeType(spec, kernelLayout);
  if (typeId === null) return spec;
  throw notEstimated(`the size of kind ${spec.kindOf(typeId)} is unknown, type id ${typeId}`, typeId);
}

/** Estimates the time of the kernel's check. The kernel does not search if types are invalid. */
function* estimated(spec: Spec): Generator<null, number, void> {
  let estimate = 0;
  try {
    estimate += yield* functionCost(spec);
    estimate += yield* checkCost(spec);
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    // The kernel may read more than this library does.
    if (error.code === 'LIMIT_EXCEEDED') throw notEstimated(error.message, error.typeId, error);
  }
  return estimate;
}

function notEstimated(message: string, typeId: TypeId | null, cause?: BtfFormatError): ServiceError {
  return new ServiceError(
    ErrorReason.BTF_UNBUILDABLE,
    `the time to check the BTF cannot be estimated: ${message}`,
    {
      metadata: typeId === null ? {} : { type_id: String(typeId) },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
