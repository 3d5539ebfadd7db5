import type { MessageInitShape } from '@bufbuild/protobuf';
import { aListOf, aString, aUint32, checkFields, type Rules } from '../error/argument.js';
import { clientError } from '../error/btf-error.js';
import type { SelectionResult, TypeSelectionSchema } from '@btfd/api';

/**
 * Selection selects types of an object. It selects a type if its id or name is listed, or a glob matches its name.
 * `kinds` restricts that to types of these kinds; with `kinds` alone it selects every type of them. Without any option
 * it selects every type. Of split BTF it selects only its own types, not those of the base.
 */
export interface Selection {
  /** Exact names, at most 1000. Default: none. */
  readonly names?: readonly string[] | undefined;
  /** Globs (`*`, `?`, `[a-z]`), at most 100. Default: none. */
  readonly nameGlobs?: readonly string[] | undefined;
  /** Numbers of kinds (`Kind` of `@btfd/btf`). Default: every kind. */
  readonly kinds?: readonly number[] | undefined;
  /** Type ids, at most 10,000. Default: none. */
  readonly ids?: readonly number[] | undefined;
}

/** SELECTION_RULES are the rules of a {@link Selection}. */
export const SELECTION_RULES: Rules<Selection> = {
  names: aListOf(aString),
  nameGlobs: aListOf(aString),
  kinds: aListOf(aUint32),
  ids: aListOf(aUint32),
};

/** checkSelection checks the argument `selection`. @throws BtfError INVALID_REQUEST. */
export function checkSelection(selection: Selection): void {
  checkFields('', 'selection', selection, SELECTION_RULES);
}

/** NotFound lists the names, globs and ids of a selection that selected no type. */
export interface NotFound {
  readonly names: readonly string[];
  readonly nameGlobs: readonly string[];
  readonly ids: readonly number[];
}

/** selectionMessage returns the message of a selection, or undefined if it selects everything. */
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

/** selectsAll reports whether a selection is empty, which selects every type. */
export function selectsAll({ names = [], nameGlobs = [], kinds = [], ids = [] }: Selection): boolean {
  return [names, nameGlobs, kinds, ids].every(({ length }) => length === 0);
}

/** allFound returns a result if nothing is missing from it. @throws BtfError NO_MATCH that names the missing types. */
export function allFound<T>(result: T, { names, nameGlobs, ids }: NotFound): T {
  const missing = [...names, ...nameGlobs, ...ids.map((id) => `id ${id}`)];
  if (missing.length === 0) return result;
  throw clientError(
    'NO_MATCH',
    `no type matches ${missing.slice(0, 10).join(', ')}${missing.length > 10 ? ', …' : ''}`,
  );
}

/** notFoundOf returns the parts of a selection for which the daemon found no type. */
export function notFoundOf(result: SelectionResult | undefined): NotFound {
  return {
    names: result?.namesNotFound ?? [],
    nameGlobs: result?.globsNotMatched ?? [],
    ids: result?.idsNotFound ?? [],
  };
}
