import { ErrorReason } from '@btfd/api';
import { BtfFormatError, printCChunks, type Spec, type TypeId } from '@btfd/btf';
import { ServiceError } from '../../error/service-error.js';
import { rawChunks } from '../../base/slices.js';

/**
 * cChunks prints types as C, in pieces of at most `chunkBytes`.
 *
 * @param roots the types to print, or null for all.
 * @throws ServiceError OUTPUT_TOO_LARGE if the text has more than `maxBytes`, or if types nest too deeply.
 * @throws BtfFormatError if a type is malformed.
 */
export function* cChunks(
  spec: Spec,
  roots: readonly TypeId[] | null,
  maxBytes: number,
  chunkBytes: number,
): Generator<Uint8Array, void, void> {
  const encoder = new TextEncoder();
  try {
    for (const text of printCChunks(spec, { maxBytes, ...(roots === null ? {} : { roots }) })) {
      yield* rawChunks(encoder.encode(text), chunkBytes);
    }
  } catch (error) {
    if (!(error instanceof BtfFormatError) || error.code !== 'LIMIT_EXCEEDED') throw error;
    throw new ServiceError(ErrorReason.OUTPUT_TOO_LARGE, error.message, {
      metadata: { limit: String(maxBytes) },
      cause: error,
    });
  }
}
