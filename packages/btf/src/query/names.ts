import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import { Kind, type KindName, type Type, type TypeId } from '../types.js';
import { isKnownKind } from '../kind-words.js';

/** Most ids in a message. */
const MAX_LISTED = 8;

/** TypeOf is the type that has a given kind. */
export type TypeOf<K extends KindName> = Extract<Type, { kind: K }>;

/**
 * typesByName decodes the types with a name, of one kind where one is given, in the order of their ids, the
 * base's first. An `UNKNOWN` kind is any that this library does not know.
 *
 * @throws BtfFormatError `MALFORMED` when another name in such a type is.
 */
export function typesByName(spec: Spec, name: string): Type[];
export function typesByName<K extends KindName>(spec: Spec, name: string, kind: K): TypeOf<K>[];
export function typesByName(spec: Spec, name: string, kind?: KindName): Type[];
export function typesByName(spec: Spec, name: string, kind?: KindName): Type[] {
  return idsOfKind(spec, name, kind).map((id) => spec.typeById(id));
}

/**
 * typeByName decodes the one type with a name, of one kind where one is given.
 *
 * Of a kind there is as a rule one: `struct file` and the function `file` differ in kind. But a kernel may
 * have several structs of one name, from different source files, that share nothing else; none of them is
 * chosen silently.
 *
 * @throws BtfFormatError `NOT_FOUND` when there is none; `AMBIGUOUS` when there are several, whose ids
 * the message tells; `MALFORMED` when another name in the type is.
 */
export function typeByName(spec: Spec, name: string): Type;
export function typeByName<K extends KindName>(spec: Spec, name: string, kind: K): TypeOf<K>;
export function typeByName(spec: Spec, name: string, kind?: KindName): Type;
export function typeByName(spec: Spec, name: string, kind?: KindName): Type {
  const ids = idsOfKind(spec, name, kind);
  const [id] = ids;
  const what = `${kind ?? 'type'} named ${JSON.stringify(name)}`;
  if (id === undefined) throw new BtfFormatError('NOT_FOUND', `no ${what}`);
  if (ids.length > 1) throw new BtfFormatError('AMBIGUOUS', `more than one ${what}: ${listed(ids)}`);
  return spec.typeById(id);
}

/** idsOfKind finds the types with a name, of one kind where one is given. */
export function idsOfKind(spec: Spec, name: string, kind: KindName | undefined): TypeId[] {
  const ids = spec.idsByName(name);
  return kind === undefined ? ids : ids.filter((id) => hasKind(spec, id, kind));
}

function hasKind(spec: Spec, id: TypeId, kind: KindName): boolean {
  const number = spec.kindOf(id);
  return kind === 'UNKNOWN' ? number !== 0 && !isKnownKind(number) : number === Kind[kind];
}

/** Ids in words, of which there may be very many. */
function listed(ids: readonly TypeId[]): string {
  const first = ids.slice(0, MAX_LISTED).join(', ');
  return ids.length > MAX_LISTED
    ? `type ids ${first} and ${ids.length - MAX_LISTED} more`
    : `type ids ${first}`;
}
