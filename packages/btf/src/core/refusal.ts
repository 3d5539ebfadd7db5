import { BtfFormatError } from '../format-error.js';

/**
 * refusal returns the error of a relocation that a loader refuses. Resolving turns such errors, and those of types that
 * are invalid, into the outcome `REFUSED`.
 */
export function refusal(message: string): BtfFormatError {
  return new BtfFormatError('INVALID_ARGUMENT', message);
}

/** Members, values and types that may be looked at for one object: seconds of work. Real objects need some 100,000. */
const MAX_STEPS = 50_000_000;

/** CoreWork bounds the work for an object: anonymous members and types to match may describe exponentially much. */
export class CoreWork {
  #steps = MAX_STEPS;

  /** Whether the error that was thrown is that of {@link step}, which ends everything. */
  get isSpent(): boolean {
    return this.#steps < 0;
  }

  /** @throws BtfFormatError `LIMIT_EXCEEDED` after the last step. */
  step(count = 1): void {
    this.#steps -= count;
    if (this.#steps >= 0) return;
    throw new BtfFormatError(
      'LIMIT_EXCEEDED',
      `the relocations of the object take more than ${MAX_STEPS} steps to resolve`,
    );
  }
}
