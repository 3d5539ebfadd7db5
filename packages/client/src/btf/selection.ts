import type { MessageInitShape } from '@bufbuild/protobuf';
import { aListOf, aString, aUint32, checkFields, type Rules } from '../error/argument.js';
import { clientError } from '../error/client-error.js';
import type { SelectionResult, TypeSelectionSchema } from '@btfd/api';

/**
 * Selection names some types. A type is selected if its id or its name is listed or a glob matches its name,
 * and if its kind is among `kinds`; where only kinds are given, every type of those kinds is. Of split BTF its
 * own types are meant, not its base's.
 */
export interface Selection {
  /** Exact names, at most 1000. */
  readonly names?: readonly string[] | undefined;
  /** Globs (`*`, `?`, `[a-z]`), at most 100. */
  readonly nameGlobs?: readonly string[] | undefined;
  /** Numbers of kinds (`Kind` of `@btfd/btf`). */
  readonly kinds?: readonly number[] | undefined;
  /** Type ids, at most 10,000. */
  readonly ids?: readonly number[] | undefined;
}

/** SELECTION_RULES are the rules of a {@link Selection}. */
export const SELECTION_RULES: Rules<Selection> = {
  names: aListOf(aString),
  nameGlobs: aListOf(aString),
  kinds: aListOf(aUint32),
  ids: aListOf(aUint32),
};

/** checkSelection checks a selection that is an argument of its own. */
export function checkSelection(selection: Selection): void {
  checkFields('', 'selection', selection, SELECTION_RULES);
}

/** NotFound is what a selection names and no type has. */
export interface NotFound {
  readonly names: readonly string[];
  readonly nameGlobs: readonly string[];
  readonly ids: readonly number[];
}

/** selectionMessage is the message of a selection, or undefined where it selects everything. */
export function selectionMessage({
  names = [],
  nameGlobs = [],
  kinds = [],
  ids = [],
}: Selection): MessageInitShape<typeof TypeSelectionSchema> | undefined {
  if (selectsAll({ names, nameGlobs, kinds, ids })) return undefined;
  return {
    names: [...names],
    nameGlobs: [...nameGlobs],
    kinds: [...kinds],
    ids: [...ids],
  };
}

/** selectsAll says whether a selection names nothing, which means everything. */
export function selectsAll({ names = [], nameGlobs = [], kinds = [], ids = [] }: Selection): boolean {
  return [names, nameGlobs, kinds, ids].every(({ length }) => length === 0);
}

/** allFound answers what was found, if nothing is missing. @throws BtfError NO_MATCH that names what is. */
export function allFound<T>(found: T, { names, nameGlobs, ids }: NotFound): T {
  const missing = [...names, ...nameGlobs, ...ids.map((id) => `id ${id}`)];
  if (missing.length === 0) return found;
  throw clientError(
    'NO_MATCH',
    `no type matches ${missing.slice(0, 10).join(', ')}${missing.length > 10 ? ', …' : ''}`,
  );
}

/** notFoundOf is what a daemon found no type for. */
export function notFoundOf(result: SelectionResult | undefined): NotFound {
  return {
    names: result?.namesNotFound ?? [],
    nameGlobs: result?.globsNotMatched ?? [],
    ids: result?.idsNotFound ?? [],
  };
}
