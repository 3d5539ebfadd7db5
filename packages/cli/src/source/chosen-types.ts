import { isGlob, Kind, nearTypeNames, postorder, type Spec, type TypeId } from '@btfd/btf';
import { type CliError, notFound } from '../error/cli-error.js';
import { nameTest } from './glob.js';

/** typeIdOf returns the type id that a text is, in decimal digits; null for names: those of C do not begin with a digit. */
export function typeIdOf(text: string): TypeId | null {
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** NamedKinds is a name or a glob, and the kinds that a keyword of C before it chooses. */
export interface NamedKinds {
  readonly name: string;
  /** `struct`, `union` or `enum`; null without one. */
  readonly keyword: string | null;
  /** Null for all kinds. */
  readonly kinds: readonly number[] | null;
}

/** The kinds that a name after a keyword can mean. */
const BY_KEYWORD: Readonly<Record<string, readonly number[]>> = {
  struct: [Kind.STRUCT],
  union: [Kind.UNION],
  enum: [Kind.ENUM, Kind.ENUM64],
};

/** withoutKeyword separates a keyword of C from the name after it, as in `struct list_head`. */
export function withoutKeyword(text: string): NamedKinds {
  const [, keyword = '', name = text] = /^(struct|union|enum) +(.*)$/.exec(text) ?? [];
  return { name, keyword: keyword === '' ? null : keyword, kinds: BY_KEYWORD[keyword] ?? null };
}

/**
 * idsNamed returns a spec's own types that have a name, or a name that matches a glob. For a type id it returns that type,
 * also if it is one of the base.
 */
export function idsNamed(spec: Spec, nameOrGlob: string): TypeId[] {
  const typeId = typeIdOf(nameOrGlob);
  if (typeId !== null) return typeId >= 1 && typeId < spec.endTypeId ? [typeId] : [];
  if (!isGlob(nameOrGlob)) return spec.idsByName(nameOrGlob).filter((id) => id >= spec.firstTypeId);
  const matches = nameTest(nameOrGlob);
  const ids: TypeId[] = [];
  for (const id of spec.typeIds()) {
    const name = spec.nameOf(id);
    if (name !== '' && matches(name)) ids.push(id);
  }
  return ids;
}

/**
 * chosenIds returns the types that names, globs and ids choose, in the order of their ids.
 *
 * @param closure whether to include the types that they refer to, also those of the base.
 * @throws CliError NOT_FOUND, with the name or glob that no type matches.
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

/** PART_OF_NAME is the hint for a name that no type of a SPEC has. */
export const PART_OF_NAME = '`btfctl find "*NAME*" --in SPEC` searches for a part of a name';

/**
 * noTypeNamed returns the error for a name, glob or id that no type of a spec matches. It suggests similar names.
 *
 * @param kinds the kinds to suggest; null for all.
 */
export function noTypeNamed(
  spec: Spec,
  name: string,
  label: string,
  kinds: readonly number[] | null = null,
): CliError {
  if (typeIdOf(name) !== null) {
    return notFound(`${label} has no type ${name}: its largest type id is ${spec.endTypeId - 1}`);
  }
  const near = isGlob(name) ? [] : nearTypeNames(spec, name, { kinds, firstId: spec.firstTypeId });
  const meant = near.map((one) => JSON.stringify(one)).join(' or ');
  return notFound(
    `no type of ${label} is named ${JSON.stringify(name)}${meant === '' ? '' : `; did you mean ${meant}?`}`,
    PART_OF_NAME,
  );
}
