import { ErrorReason } from '@btfd/api';
import { BtfFormatError, Spec } from '@btfd/btf';
import { ServiceError } from '../error/service-error.js';
import { checkCost } from './check-cost.js';

/**
 * screen refuses BTF whose check would keep the kernel for too long. What cannot be read, the kernel refuses at once
 * with a log that says why, so it goes there; but kinds that are unknown here may hide anything from this judgement.
 *
 * @throws ServiceError with BTF_TOO_EXPENSIVE; BTF_UNBUILDABLE for kinds that are unknown.
 */
export function* screen(rawBtf: Uint8Array, maxCheckMs: number): Generator<null, void, void> {
  let estimate: number;
  try {
    estimate = yield* checkCost(Spec.parse(rawBtf));
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    if (error.code !== 'UNSUPPORTED' || error.typeId === null) return;
    throw new ServiceError(ErrorReason.BTF_UNBUILDABLE, `the BTF cannot be judged: ${error.message}`, {
      metadata: { type_id: String(error.typeId) },
      cause: error,
    });
  }
  if (estimate <= maxCheckMs) return;
  const words = estimate < 1e7 ? `some ${Math.ceil(estimate / 1000)} seconds` : 'hours or longer';
  throw new ServiceError(
    ErrorReason.BTF_TOO_EXPENSIVE,
    `the kernel would search for ${words} when it checks the BTF; ${maxCheckMs / 1000} seconds are allowed`,
    { metadata: { estimate_ms: String(Math.ceil(estimate)), limit_ms: String(maxCheckMs) } },
  );
}
