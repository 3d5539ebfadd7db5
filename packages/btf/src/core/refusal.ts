import { BtfFormatError } from '../format-error.js';

/**
 * refusal returns the error of a relocation that a loader refuses. Resolving turns such errors, and those of types that
 * are invalid, into the outcome `REFUSED`.
 */
export function refusal(message: string): BtfFormatError {
  return new BtfFormatError('INVALID_ARGUMENT', message);
}

/** Members, values and types that may be looked at for one object: seconds of work. Real objects need some 100,000, and large ones a few millions. */
const MAX_STEPS = 16_000_000;

/** The steps between two pauses: about two milliseconds. */
const STEPS_TO_PAUSE = 16_384;

/** CoreWork bounds the work for an object: anonymous members and types to match may describe exponentially much. */
export class CoreWork {
  #steps = MAX_STEPS;
  #pauseAt = MAX_STEPS - STEPS_TO_PAUSE;
  #isSpent = false;

  /** Whether the error that was thrown is that of {@link step} or {@link spend}, which ends everything. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** @throws BtfFormatError `LIMIT_EXCEEDED` after the last step. */
  step(count = 1): void {
    this.#steps -= count;
    if (this.#steps < 0) this.spend(`relocations that take more than ${MAX_STEPS} steps to resolve`);
  }

  /** spend ends the work. @throws BtfFormatError `LIMIT_EXCEEDED`. */
  spend(reason: string): never {
    this.#isSpent = true;
    throw new BtfFormatError('LIMIT_EXCEEDED', `the object has ${reason}`);
  }

  /** pauses yields if so many steps were taken since the last time that others should have a turn. */
  *pauses(): Generator<null, void, void> {
    if (this.#steps > this.#pauseAt) return;
    this.#pauseAt = this.#steps - STEPS_TO_PAUSE;
    yield null;
  }
}

/** run takes all steps, and returns their result. */
export function run<T>(steps: Generator<null, T, void>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
