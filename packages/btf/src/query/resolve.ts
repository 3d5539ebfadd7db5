import { sizeOrTypeIdOf, type Spec } from '../spec.js';
import {
  type Const,
  Kind,
  type Restrict,
  type Type,
  type Typedef,
  type TypeId,
  type TypeTag,
  type Volatile,
} from '../types.js';
import { Chain, followed } from './follow.js';
import { kindTest } from '../kind-words.js';

/** Alias is a type that stands for another one: a typedef, a qualifier or a type tag. */
export type Alias = Typedef | Volatile | Const | Restrict | TypeTag;

/** isAlias reports whether a type is an {@link Alias}. */
export function isAlias(type: Type): type is Alias {
  return standsForOther(type.kind === 'UNKNOWN' ? type.kindNumber : Kind[type.kind]);
}

/** standsForOther reports whether types of a kind are an {@link Alias}. */
export const standsForOther = /* @__PURE__ */ kindTest(({ alias }) => alias);

/** qualifies reports whether types of a kind only change how another type is used: qualifiers and type tags. */
export const qualifies = /* @__PURE__ */ kindTest(({ alias }, kind) => alias && kind !== Kind.TYPEDEF);

/**
 * resolve follows typedefs, qualifiers (`const`, `volatile`, `restrict`) and type tags to the type that they stand for.
 * It returns any other type as it is. Modelled on `btf.UnderlyingType` of cilium/ebpf.
 *
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `MALFORMED` for a loop, for a reference to a type that does not exist, and for a name outside
 * the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` after 1024 links, or if the names of the type are too long.
 */
export function resolve(spec: Spec, id: TypeId): Exclude<Type, Alias> {
  const type = spec.typeById(resolveId(spec, id));
  if (isAlias(type)) throw new Error(`type id ${type.id} was not followed`);
  return type;
}

/** resolveId is {@link resolve} without decoding: many types may stand for a type that has a million members. */
export function resolveId(spec: Spec, id: TypeId): TypeId {
  return followKinds(spec, id, standsForOther);
}

/**
 * unqualified follows qualifiers and type tags only, and stops at a typedef.
 *
 * @throws BtfReadError as {@link resolve} does.
 */
export function unqualified(spec: Spec, id: TypeId): Exclude<Type, Exclude<Alias, Typedef>> {
  const type = spec.typeById(unqualifiedId(spec, id));
  if (isAlias(type) && type.kind !== 'TYPEDEF') throw new Error(`type id ${type.id} was not followed`);
  return type;
}

/** unqualifiedId is {@link unqualified} without decoding. */
export function unqualifiedId(spec: Spec, id: TypeId): TypeId {
  return followKinds(spec, id, qualifies);
}

function followKinds(spec: Spec, id: TypeId, passes: (kind: number) => boolean): TypeId {
  const chain = new Chain(id);
  let at = id;
  while (passes(spec.kindOf(at))) {
    const next = sizeOrTypeIdOf(spec, at);
    chain.pass(next);
    at = followed(spec, at, next);
  }
  return at;
}

/**
 * describeType returns words for a type in a message, those of C if C has any: `struct file`, `anonymous union`, `PTR`.
 */
export function describeType(type: Type): string {
  const kind = CONCISE.get(type.kind) ?? type.kind;
  if (type.name !== '') return `${kind} ${type.name}`;
  return CONCISE.has(type.kind) ? `anonymous ${kind}` : kind;
}

const CONCISE = new Map<Type['kind'], string>([
  ['STRUCT', 'struct'],
  ['UNION', 'union'],
  ['ENUM', 'enum'],
  ['ENUM64', 'enum'],
  ['TYPEDEF', 'typedef'],
]);
