import { BtfLookupError } from '../lookup-error.js';
import type { Spec } from '../spec.js';
import { Kind, type KindName, type Type, type TypeId } from '../types.js';
import { isKnownKind } from '../kind-words.js';
import { nearTypeNames } from './near-names.js';

/** Maximum number of ids in a message. */
const MAX_LISTED = 8;

/** TypeOf is the type of a given kind. */
export type TypeOf<K extends KindName> = Extract<Type, { kind: K }>;

/**
 * typesByName decodes the types with a name, optionally of one kind, in the order of their ids, those of the base
 * first. The kind `UNKNOWN` is any kind that this library does not know.
 *
 * @throws BtfFormatError `MALFORMED` if another name in such a type lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the names in such a type are too long.
 */
export function typesByName(spec: Spec, name: string): Type[];
export function typesByName<K extends KindName>(spec: Spec, name: string, kind: K): TypeOf<K>[];
export function typesByName(spec: Spec, name: string, kind?: KindName): Type[];
export function typesByName(spec: Spec, name: string, kind?: KindName): Type[] {
  return idsOfKind(spec, name, kind).map((id) => spec.typeById(id));
}

/**
 * typeByName decodes the only type with a name, optionally of one kind. Modelled on `Spec.TypeByName` of cilium/ebpf.
 *
 * There is usually one of a kind: `struct file` and the function `file` differ in kind. But a kernel may have several
 * unrelated structs of one name, from different source files. None of them is chosen silently.
 *
 * @throws BtfLookupError `NOT_FOUND` if there is none.
 * @throws BtfLookupError `AMBIGUOUS` if there are several; the message has their ids, and their kinds if these differ.
 * @throws BtfFormatError `MALFORMED` if another name in the type lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the names in the type are too long.
 */
export function typeByName(spec: Spec, name: string): Type;
export function typeByName<K extends KindName>(spec: Spec, name: string, kind: K): TypeOf<K>;
export function typeByName(spec: Spec, name: string, kind?: KindName): Type;
export function typeByName(spec: Spec, name: string, kind?: KindName): Type {
  const ids = idsOfKind(spec, name, kind);
  const [id] = ids;
  const what = `${kind ?? 'type'} named ${JSON.stringify(name)}`;
  if (id === undefined) {
    const kinds = kind === undefined || kind === 'UNKNOWN' ? null : [Kind[kind]];
    const findNear = (): readonly string[] => nearTypeNames(spec, name, { kinds });
    throw new BtfLookupError('NOT_FOUND', name, `no ${what}`, { findNear });
  }
  if (ids.length > 1) throw ambiguous(spec, ids, name, what, kind);
  return spec.typeById(id);
}

/** idsOfKind returns the ids of the types with a name, optionally of one kind. */
export function idsOfKind(spec: Spec, name: string, kind: KindName | undefined): TypeId[] {
  const ids = spec.idsByName(name);
  return kind === undefined ? ids : ids.filter((id) => hasKind(spec, id, kind));
}

function hasKind(spec: Spec, id: TypeId, kind: KindName): boolean {
  const number = spec.kindOf(id);
  return kind === 'UNKNOWN' ? number !== 0 && !isKnownKind(number) : number === Kind[kind];
}

/** The error for several types. There may be very many, and their kinds may differ. */
function ambiguous(
  spec: Spec,
  ids: readonly TypeId[],
  name: string,
  what: string,
  kind?: KindName,
): BtfLookupError {
  const kinds = new Set(ids.slice(0, MAX_LISTED).map((id) => spec.kindOf(id)));
  const differ = kind === undefined && kinds.size > 1;
  const first = ids
    .slice(0, MAX_LISTED)
    .map((id) => (differ ? `${id} (${spec.typeById(id).kind})` : String(id)));
  const more = ids.length > MAX_LISTED ? ` and ${ids.length - MAX_LISTED} more` : '';
  const advice = differ ? '; give the kind' : '';
  const message = `more than one ${what}: type ids ${first.join(', ')}${more}${advice}`;
  return new BtfLookupError('AMBIGUOUS', name, message, { typeIds: ids });
}
