import type { TypeId } from '../types.js';

/** PickedType is a type that a walk takes at a choice between types of one name. */
export interface PickedType {
  readonly typeId: TypeId;
  /** The index of the step of the path that starts in the type; -1 for the start of the path. */
  readonly step: number;
}

interface Choice {
  readonly options: readonly TypeId[];
  readonly step: number;
  at: number;
}

/**
 * MemberChoices leads a walk along a path through every combination of the types that names on the path may mean. The walk
 * starts again for each combination and meets the same choices in the same order, until one that the last pick changed.
 */
export class MemberChoices {
  readonly #choices: Choice[] = [];
  /** Number of choices that this walk has met. */
  #met = 0;

  /** The types that this walk took, in the order of the choices. */
  get picks(): PickedType[] {
    const met = this.#choices.slice(0, this.#met);
    return met.map(({ options, step, at }) => ({ typeId: options[at] ?? 0, step }));
  }

  /**
   * pick returns the type that this walk takes at a choice.
   *
   * @param options the types to choose from, at least one.
   * @param step the index of the step of the path that starts in the type; -1 for the start of the path.
   */
  pick(options: readonly TypeId[], step: number): TypeId {
    const [only = 0, ...others] = options;
    if (others.length === 0) return only;
    const choice = (this.#choices[this.#met] ??= { options, step, at: 0 });
    this.#met += 1;
    return choice.options[choice.at] ?? only;
  }

  /** next moves on to the next combination, for which the walk starts again. It returns false if there is none. */
  next(): boolean {
    this.#met = 0;
    for (let last = this.#choices.at(-1); last !== undefined; last = this.#choices.at(-1)) {
      last.at += 1;
      if (last.at < last.options.length) return true;
      this.#choices.pop();
    }
    return false;
  }
}
