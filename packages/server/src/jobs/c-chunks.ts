import { ErrorReason } from '@btfd/api';
import { BtfReadError, type PrintCOptions, printCChunks, type Spec } from '@btfd/btf';
import { ServiceError } from '../error/service-error.js';
import { rawChunks } from '../base/slices.js';

/**
 * cChunks prints types as C, in pieces of at most `chunkBytes`.
 *
 * @throws ServiceError OUTPUT_TOO_LARGE if the text has more than `maxBytes`, or if types nest too deeply.
 * @throws BtfFormatError if a type is malformed.
 */
export function* cChunks(
  spec: Spec,
  options: PrintCOptions & { readonly maxBytes: number },
  chunkBytes: number,
): Generator<Uint8Array, void, void> {
  const encoder = new TextEncoder();
  try {
    for (const text of printCChunks(spec, options)) {
      yield* rawChunks(encoder.encode(text), chunkBytes);
    }
  } catch (error) {
    if (!(error instanceof BtfReadError) || error.code !== 'LIMIT_EXCEEDED') throw error;
    throw new ServiceError(ErrorReason.OUTPUT_TOO_LARGE, error.message, {
      metadata: { limit: String(options.maxBytes) },
      cause: error,
    });
  }
}
