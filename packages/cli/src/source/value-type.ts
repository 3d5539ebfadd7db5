import { Kind, type Spec, type TypeId } from '@btfd/btf';
import { notFound, usageError } from '../error/cli-error.js';
import { noTypeNamed, typeIdOf, withoutKeyword } from './chosen-types.js';

/** The kinds that a name alone can mean, the first of which wins. In C, only a keyword before it makes a name a tag. */
const BY_NAME: readonly (readonly number[])[] = [
  [Kind.TYPEDEF, Kind.INT, Kind.FLOAT],
  [Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.ENUM64],
  [Kind.VAR, Kind.DATASEC],
];

/** The number of ids in a hint. */
const MAX_IDS = 10;

/**
 * valueTypeId returns the type that a name means, with or without `struct`, `union` or `enum` before it, or that a number
 * means, which is an id.
 *
 * @throws CliError NOT_FOUND if there is no such type, or if there are several.
 */
export function valueTypeId(spec: Spec, text: string, label: string): TypeId {
  if (text === '') throw usageError('the name of the type is empty');
  const typeId = typeIdOf(text);
  if (typeId !== null) {
    if (typeId < spec.endTypeId) return typeId;
    throw noTypeNamed(spec, text, label);
  }
  const { name, kinds } = withoutKeyword(text);
  const groups = kinds === null ? BY_NAME : [kinds];
  const ids = spec.idsByName(name);
  const named = groups.map((group) => ids.filter((id) => group.includes(spec.kindOf(id))));
  const [id, ...others] = named.find((found) => found.length > 0) ?? [];
  if (id === undefined) throw noTypeNamed(spec, name, label, groups.flat());
  if (others.length === 0) return id;
  throw notFound(
    `several types of ${label} are named ${JSON.stringify(name)}`,
    `use one of their ids: ${[id, ...others].slice(0, MAX_IDS).join(', ')}${others.length < MAX_IDS ? '' : ', …'}`,
  );
}
