import type { Type, TypeId } from '../types.js';

/** children returns the ids of the types that a type refers to, in the order of its words, with repetitions and void. */
export function children(type: Type): TypeId[] {
  switch (type.kind) {
    case 'ARRAY':
      return [type.typeId, type.indexTypeId];
    case 'STRUCT':
    case 'UNION':
      return type.members.map(typeIdOf);
    case 'FUNC_PROTO':
      return [type.returnTypeId, ...type.params.map(typeIdOf)];
    case 'DATASEC':
      return type.vars.map(typeIdOf);
    default:
      return 'typeId' in type ? [type.typeId] : [];
  }
}

function typeIdOf({ typeId }: { readonly typeId: TypeId }): TypeId {
  return typeId;
}

/** mapReferences returns a copy of a type in which `map` replaces each id that the type refers to. Its own id stays. */
export function mapReferences<T extends Type>(type: T, map: (id: TypeId) => TypeId): T;
export function mapReferences(type: Type, map: (id: TypeId) => TypeId): Type {
  switch (type.kind) {
    case 'ARRAY':
      return { ...type, typeId: map(type.typeId), indexTypeId: map(type.indexTypeId) };
    case 'STRUCT':
    case 'UNION':
      return { ...type, members: mapped(type.members, map) };
    case 'FUNC_PROTO':
      return { ...type, returnTypeId: map(type.returnTypeId), params: mapped(type.params, map) };
    case 'DATASEC':
      return { ...type, vars: mapped(type.vars, map) };
    default:
      return 'typeId' in type ? { ...type, typeId: map(type.typeId) } : type;
  }
}

function mapped<E extends { readonly typeId: TypeId }>(
  elements: readonly E[],
  map: (id: TypeId) => TypeId,
): E[] {
  return elements.map((element) => ({ ...element, typeId: map(element.typeId) }));
}
