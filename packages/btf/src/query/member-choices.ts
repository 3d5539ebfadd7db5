import type { TypeId } from '../types.js';

interface Choice {
  readonly options: readonly TypeId[];
  at: number;
}

/**
 * MemberChoices leads a walk along a path through every combination of the types that names on the path may mean. The walk
 * starts again for each combination and meets the same choices in the same order, until one that the last pick changed.
 */
export class MemberChoices {
  /** The step of the path at which the first choice is made; null until there is one. */
  firstStep: number | null = null;
  readonly #choices: Choice[] = [];
  /** Number of choices that this walk has met. */
  #met = 0;

  /** The type that this walk takes at the first choice; null if it has met none. */
  get first(): TypeId | null {
    const choice = this.#choices[0];
    return this.#met === 0 ? null : (choice?.options[choice.at] ?? null);
  }

  /** Number of the types at the first choice. */
  get firstCount(): number {
    return this.#choices[0]?.options.length ?? 1;
  }

  /**
   * pick returns the type that this walk takes at a choice.
   *
   * @param options the types to choose from, at least one.
   * @param step the index of the step of the path, -1 for its start.
   */
  pick(options: readonly TypeId[], step: number): TypeId {
    const [only = 0, ...others] = options;
    if (others.length === 0) return only;
    this.firstStep ??= step;
    const choice = (this.#choices[this.#met] ??= { options, at: 0 });
    this.#met += 1;
    return choice.options[choice.at] ?? only;
  }

  /** next moves on to the next combination, for which the walk starts again. It returns false if there is none. */
  next(): boolean {
    this.#met = 0;
    for (let last = this.#choices.at(-1); last !== undefined; last = this.#choices.at(-1)) {
      last.at += 1;
      if (last.at < last.options.length) return true;
      // The count of the first choice is needed when all is done.
      if (this.#choices.length === 1) return false;
      this.#choices.pop();
    }
    return false;
  }
}
