import { isGlob, nearTypeNames, type Spec } from '@btfd/btf';
import { type CliError, notFound } from '../error/cli-error.js';
import type { FindOptions } from '../grammar/find.js';
import { PART_OF_NAME, typeIdOf, withoutKeyword } from '../source/chosen-types.js';

/**
 * noType returns the error for names, globs and ids that no type has.
 *
 * @param kinds the kinds to suggest for a name without a keyword; null for all.
 * @param spec the spec in which similar names are searched; null to suggest none.
 */
export function noType(
  names: readonly string[],
  { kind, in: where }: Pick<FindOptions, 'kind' | 'in'>,
  spec: Spec | null,
  kinds: readonly number[] | null = null,
): CliError {
  const ids = names.every((name) => typeIdOf(name) !== null);
  const word = ids ? 'with id' : 'named';
  const what = `${kind ?? 'type'} ${word} ${names.join(', ')}`;
  return notFound(
    `there is no ${what}${where === undefined ? '' : ` in ${where}`}${spec === null ? '' : meant(spec, names, kinds)}`,
    ids ? null : where === undefined ? 'a glob matches more names: `btfctl find "*NAME*"`' : PART_OF_NAME,
  );
}

/** Returns the names of the first object that names may have been meant to be, as `layout` suggests them. */
function meant(spec: Spec, names: readonly string[], suggested: readonly number[] | null): string {
  const near = names.flatMap((text) => {
    const { name, kinds } = withoutKeyword(text);
    return isGlob(name) || typeIdOf(name) !== null
      ? []
      : nearTypeNames(spec, name, { kinds: kinds ?? suggested, firstId: 1 });
  });
  return near.length === 0 ? '' : `; did you mean ${near.map((one) => JSON.stringify(one)).join(' or ')}?`;
}
