import type { Spec } from '../spec.js';
import type { Struct, TypeId, Union } from '../types.js';
import { flatMembers } from './flat-members.js';
import { MemberChoices, type PickedType } from './member-choices.js';
import { type MemberCandidate, MemberPathError } from './member-error.js';
import { formatMemberPath, formatStep, type MemberPath } from './member-path.js';
import type { ResolveOptions, ResolvedMember } from './member-place.js';
import { MemberWalk, WalkFailure } from './member-walk.js';
import { nearNames } from './near-names.js';
import { describeType } from './resolve.js';
import { isSamePlace } from './same-place.js';

/** Maximum number of ways to read a path. A kernel has three or four structs of one name at most. */
const MAX_WAYS = 64;

/** Maximum number of types in a message. */
const MAX_LISTED = 8;

/** Way is one of the ways to read a path: a pick at each choice between types of one name. */
interface Way {
  readonly picks: readonly PickedType[];
}

/** ReadableWay is a way that leads to a member. */
interface ReadableWay extends Way {
  readonly member: ResolvedMember;
}

/** FailedWay is a way that leads nowhere. */
interface FailedWay extends Way {
  readonly failure: WalkFailure;
}

/** MemberSearch follows a path through every combination of the types that names on it may mean, and compares the results. */
export class MemberSearch {
  readonly #spec: Spec;
  readonly #path: MemberPath;
  readonly #options: ResolveOptions;
  readonly #choices = new MemberChoices();

  constructor(spec: Spec, path: MemberPath, options: ResolveOptions) {
    this.#spec = spec;
    this.#path = path;
    this.#options = options;
  }

  /**
   * from follows the path from each of some types. It can be called once.
   *
   * @throws MemberPathError if the path leads nowhere, or to different places.
   */
  from(roots: readonly TypeId[]): ResolvedMember {
    const ways: (ReadableWay | FailedWay)[] = [];
    do {
      if (ways.length === MAX_WAYS) throw this.#tooManyWays(ways[0]?.picks[0]?.step ?? -1);
      ways.push(this.#walk(roots));
    } while (this.#choices.next());
    const readable = ways.filter((way) => 'member' in way);
    const [first] = readable;
    if (first === undefined) throw this.#nowhere(ways.filter((way) => 'failure' in way));
    const different = readable.find(({ member }) => !this.#isSame(first.member, member));
    if (different === undefined) return first.member;
    throw this.#ambiguous(ways, first, different);
  }

  #walk(roots: readonly TypeId[]): ReadableWay | FailedWay {
    const rootId = this.#choices.pick(roots, -1);
    try {
      const member = new MemberWalk(this.#spec, this.#choices, this.#options).walk(rootId, this.#path.steps);
      return { picks: this.#choices.picks, member };
    } catch (error) {
      if (error instanceof WalkFailure) return { picks: this.#choices.picks, failure: error };
      throw error;
    }
  }

  /** The error of a path that fails in every way: the failure after the most steps. */
  #nowhere(failed: readonly FailedWay[]): MemberPathError {
    const { problem, message, step, code, searched } = failed
      .map(({ failure }) => failure)
      .reduce((furthest, other) => (other.step > furthest.step ? other : furthest));
    const others = failed.length - 1;
    const also =
      others === 0
        ? ''
        : `, and the path leads nowhere in ${others} other type${others > 1 ? 's' : ''} of this name`;
    const failing = this.#path.steps[step];
    const name = failing !== undefined && 'member' in failing ? failing.member : '';
    const suggests = searched !== null && this.#options.suggest !== false;
    const near = suggests ? nearNames(name, this.#membersOf(searched)) : [];
    return new MemberPathError(problem, `${this.#upTo(step + 1)}: ${message}${also}`, { code, step, near });
  }

  *#membersOf(type: Struct | Union): Generator<string, void, undefined> {
    for (const { member } of flatMembers(this.#spec, type)) yield member.name;
  }

  /**
   * The error of a path that leads to different places. Its candidates are the types at the last choice that the first two
   * ways with different places have in common: a path from such a type no longer depends on the choices before it.
   *
   * @param first the first way that leads to a member.
   * @param different the first way after it that leads to another place.
   */
  #ambiguous(
    ways: readonly (ReadableWay | FailedWay)[],
    first: ReadableWay,
    different: ReadableWay,
  ): MemberPathError {
    const isFirst = ({ typeId }: PickedType, i: number): boolean => typeId === first.picks[i]?.typeId;
    const choice = different.picks.findIndex((pick, i) => !isFirst(pick, i));
    const step = first.picks[choice]?.step ?? -1;
    const rest = this.#path.steps.slice(Math.max(step, 0));
    const candidates: MemberCandidate[] = [];
    for (const way of ways.filter(({ picks }) => picks.slice(0, choice).every(isFirst))) {
      const typeId = way.picks[choice]?.typeId ?? 0;
      const member = 'member' in way ? way.member : null;
      const path = formatMemberPath({ kind: null, root: String(typeId), steps: rest });
      // A later choice that changes nothing, or makes the path fail, is not a candidate of its own.
      const same = candidates.findIndex(
        (other) =>
          other.typeId === typeId &&
          (member === null || other.member === null || this.#isSame(other.member, member)),
      );
      if (same === -1) candidates.push({ typeId, path, member });
      else if (candidates[same]?.member === null) candidates[same] = { typeId, path, member };
    }
    const types = [...new Set(candidates.map(({ typeId }) => typeId))];
    const listed = types
      .slice(0, MAX_LISTED)
      .map((id) => `${describeType(this.#spec.typeById(id))} (type id ${id})`);
    const more = types.length > MAX_LISTED ? ` and ${types.length - MAX_LISTED} more` : '';
    const example = candidates.find(({ member }) => member !== null)?.path ?? '';
    const differs = rest.length === 0 ? 'they differ' : `${rest.map(formatStep).join('')} differs in them`;
    const message =
      `${this.#upTo(step + 1)}: ${types.length} types have the name, and ${differs}: ` +
      `${listed.join(', ')}${more}; name one by its id, for example ${example}`;
    return new MemberPathError('AMBIGUOUS', message, { step, candidates });
  }

  #isSame(a: ResolvedMember, b: ResolvedMember): boolean {
    return isSamePlace(this.#spec, a, b, this.#options);
  }

  /** @param step the step of the first choice. */
  #tooManyWays(step: number): MemberPathError {
    const message = `more than ${MAX_WAYS} types have names on this path: start it with the id of a type`;
    return new MemberPathError('AMBIGUOUS', `${this.#upTo(step + 1)}: ${message}`, { step });
  }

  /** The beginning of the path, as in the message of an error. */
  #upTo(steps: number): string {
    return `${this.#path.root}${this.#path.steps.slice(0, steps).map(formatStep).join('')}`;
  }
}
