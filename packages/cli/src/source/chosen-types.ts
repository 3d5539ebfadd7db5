import { isGlob, nearTypeNames, postorder, type Spec, type TypeId } from '@btfd/btf';
import { type CliError, notFound } from '../error/cli-error.js';
import { nameTest } from './glob.js';

/** idsNamed finds the types of a spec, not those of its base, that have a name or whose name a glob matches. */
export function idsNamed(spec: Spec, nameOrGlob: string): TypeId[] {
  if (!isGlob(nameOrGlob)) return spec.idsByName(nameOrGlob).filter((id) => id >= spec.firstTypeId);
  const matches = nameTest(nameOrGlob);
  const ids: TypeId[] = [];
  for (let id = spec.firstTypeId; id < spec.endTypeId; id++) {
    const name = spec.nameOf(id);
    if (name !== '' && matches(name)) ids.push(id);
  }
  return ids;
}

/**
 * chosenIds finds the types that names and globs choose, in the order of their ids.
 *
 * @param closure whether all that they refer to comes too, the base's types included.
 * @throws CliError NOT_FOUND that names what no type has.
 */
export function chosenIds(spec: Spec, names: readonly string[], closure: boolean, label: string): TypeId[] {
  const chosen = new Set<TypeId>();
  for (const name of names) {
    const ids = idsNamed(spec, name);
    if (ids.length === 0) throw noTypeNamed(spec, name, label);
    for (const id of ids) chosen.add(id);
  }
  const ids = closure ? [...postorder(spec, chosen)] : [...chosen];
  return ids.toSorted((a, b) => a - b);
}

/**
 * noTypeNamed tells that no type of a spec has a name, or matches a glob, with names that may have been meant.
 *
 * @param kinds those of which there may be some; null for all.
 */
export function noTypeNamed(
  spec: Spec,
  name: string,
  label: string,
  kinds: readonly number[] | null = null,
): CliError {
  const near = isGlob(name) ? [] : nearTypeNames(spec, name, { kinds, firstId: spec.firstTypeId });
  const meant = near.map((one) => JSON.stringify(one)).join(' or ');
  return notFound(
    `no type of ${label} is named ${JSON.stringify(name)}${meant === '' ? '' : `; did you mean ${meant}?`}`,
    '`btfctl find` takes globs: btfctl find "*name*"',
  );
}
