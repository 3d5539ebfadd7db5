import { BtfFormatError, Kind, resolve, type Spec, type TypeId } from '@btfd/btf';
import { notFound, usageError } from '../error/cli-error.js';
import { noTypeNamed, typeIdOf } from './chosen-types.js';

/** The kinds of named types that have values. */
const WITH_VALUE: readonly number[] = [
  Kind.INT,
  Kind.STRUCT,
  Kind.UNION,
  Kind.ENUM,
  Kind.TYPEDEF,
  Kind.VAR,
  Kind.DATASEC,
  Kind.FLOAT,
  Kind.ENUM64,
];

/** The words of C before a name, and their kinds. */
const KEYWORDS: Readonly<Record<string, readonly number[]>> = {
  struct: [Kind.STRUCT],
  union: [Kind.UNION],
  enum: [Kind.ENUM, Kind.ENUM64],
};

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
  const [, keyword, name = text] = /^(struct|union|enum) +(.*)$/.exec(text) ?? [];
  const kinds = (keyword === undefined ? undefined : KEYWORDS[keyword]) ?? WITH_VALUE;
  const found = spec.idsByName(name).filter((id) => kinds.includes(spec.kindOf(id)));
  const resolved = found.map((one) => resolvedId(spec, one));
  // `typedef struct s s` is one type.
  const [id, ...others] = found.filter((_, i) => resolved.indexOf(resolved[i] ?? 0) === i);
  if (id === undefined) throw noTypeNamed(spec, name, label, kinds);
  if (others.length === 0) return id;
  const ids = [id, ...others].join(', ');
  throw notFound(
    `several types of ${label} are named ${JSON.stringify(name)}`,
    `use one of their ids: ${ids}`,
  );
}

/** Returns the type that a type stands for; itself if that cannot be found, so that reading it reports why. */
function resolvedId(spec: Spec, id: TypeId): TypeId {
  try {
    return resolve(spec, id).id;
  } catch (error) {
    if (error instanceof BtfFormatError) return id;
    throw error;
  }
}
