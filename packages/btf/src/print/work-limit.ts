import { BtfFormatError } from '../format-error.js';
import type { TypeId } from '../types.js';

/**
 * The deepest nesting to follow: recursion must not exhaust the stack of the caller. The kernel accepts 32 levels,
 * compilers several hundred.
 */
const MAX_DEPTH = 512;

/** STEPS_OF_ALL is the number of steps that printing any BTF may take, however small: some tenths of a second. */
export const STEPS_OF_ALL = 1 << 22;

/**
 * STEPS_OF_NAME is the number of steps that one name may take, which has at most some thousand bytes: a few
 * milliseconds.
 */
export const STEPS_OF_NAME = 1 << 16;

/** Steps for each type. Real kernels need fewer than ten. */
const STEPS_PER_TYPE = 64;

/**
 * WorkLimit bounds the work for BTF that is small but describes exponentially much, such as anonymous types that each
 * contain the next one twice.
 */
export class WorkLimit {
  #depth = 0;
  #steps: number;

  /**
   * @param freeSteps the number of steps however few types there are.
   * @param typeCount the number of types.
   */
  constructor(freeSteps: number, typeCount: number) {
    this.#steps = freeSteps + STEPS_PER_TYPE * typeCount;
  }

  /** addTypes allows the steps of types that were added. */
  addTypes(count: number): void {
    this.#steps += STEPS_PER_TYPE * count;
  }

  /**
   * step counts one visit of a type.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` after the last step.
   */
  step(id: TypeId): void {
    this.#steps -= 1;
    if (this.#steps < 0) {
      throw new BtfFormatError('LIMIT_EXCEEDED', 'types refer to each other too often to print', {
        typeId: id,
      });
    }
  }

  /**
   * stepName counts a part of a name that is read. Names are not parts of one type: many may share one long string.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` after the last step.
   */
  stepName(): void {
    this.#steps -= 1;
    if (this.#steps < 0) {
      throw new BtfFormatError('LIMIT_EXCEEDED', 'names are too long or too similar to print');
    }
  }

  /**
   * enter is a {@link step} one level down, until {@link leave}.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` after the last step and below the deepest level.
   */
  enter(id: TypeId): void {
    this.step(id);
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `types nest deeper than ${MAX_DEPTH} levels`, {
        typeId: id,
      });
    }
  }

  leave(): void {
    this.#depth -= 1;
  }
}
