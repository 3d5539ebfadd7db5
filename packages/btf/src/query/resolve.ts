import type { Spec } from '../spec.js';
import type { Const, Restrict, Type, TypeId, TypeTag, Typedef, Volatile } from '../types.js';
import { Chain } from './chain.js';
import { follow } from './follow.js';

/** Alias is a type that stands for another one: a typedef, a qualifier or a type tag. */
export type Alias = Typedef | Volatile | Const | Restrict | TypeTag;

/** isAlias tells whether a type is an {@link Alias}. */
export function isAlias(type: Type): type is Alias {
  switch (type.kind) {
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'TYPE_TAG':
      return true;
    default:
      return false;
  }
}

/**
 * resolve follows typedefs, qualifiers (`const`, `volatile`, `restrict`) and type tags to the type that
 * they stand for. Any other type is its own answer.
 *
 * @throws BtfFormatError `NOT_FOUND` when there is no such id; `MALFORMED` for a loop and for a reference
 * to no type; `LIMIT_EXCEEDED` after 1024 links.
 */
export function resolve(spec: Spec, id: TypeId): Exclude<Type, Alias> {
  const chain = new Chain(id);
  let type = spec.typeById(id);
  while (isAlias(type)) {
    chain.pass(type.typeId);
    type = follow(spec, type.id, type.typeId);
  }
  return type;
}

/**
 * unqualified follows qualifiers and type tags alone, and stops at a typedef.
 *
 * @throws BtfFormatError as {@link resolve} does.
 */
export function unqualified(spec: Spec, id: TypeId): Exclude<Type, Exclude<Alias, Typedef>> {
  const chain = new Chain(id);
  let type = spec.typeById(id);
  while (isAlias(type) && type.kind !== 'TYPEDEF') {
    chain.pass(type.typeId);
    type = follow(spec, type.id, type.typeId);
  }
  return type;
}
