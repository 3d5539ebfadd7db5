import type { Type, TypeId } from '../types.js';

/** children lists the ids of the types that a type refers to, in the order of its bytes, repetitions and void included. */
export function children(type: Type): TypeId[] {
  switch (type.kind) {
    case 'PTR':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'FUNC':
    case 'VAR':
    case 'DECL_TAG':
    case 'TYPE_TAG':
      return [type.typeId];
    case 'ARRAY':
      return [type.typeId, type.indexTypeId];
    case 'STRUCT':
    case 'UNION':
      return type.members.map(({ typeId }) => typeId);
    case 'FUNC_PROTO':
      return [type.returnTypeId, ...type.params.map(({ typeId }) => typeId)];
    case 'DATASEC':
      return type.vars.map(({ typeId }) => typeId);
    case 'VOID':
    case 'INT':
    case 'ENUM':
    case 'FWD':
    case 'FLOAT':
    case 'ENUM64':
    case 'UNKNOWN':
      return [];
  }
}

/** mapReferences is the same type with every id that it refers to, not its own, replaced by what `map` gives for it. */
export function mapReferences<T extends Type>(type: T, map: (id: TypeId) => TypeId): T;
export function mapReferences(type: Type, map: (id: TypeId) => TypeId): Type {
  switch (type.kind) {
    case 'PTR':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'FUNC':
    case 'VAR':
    case 'DECL_TAG':
    case 'TYPE_TAG':
      return { ...type, typeId: map(type.typeId) };
    case 'ARRAY':
      return { ...type, typeId: map(type.typeId), indexTypeId: map(type.indexTypeId) };
    case 'STRUCT':
    case 'UNION':
      return { ...type, members: type.members.map((member) => ({ ...member, typeId: map(member.typeId) })) };
    case 'FUNC_PROTO': {
      const params = type.params.map((param) => ({ ...param, typeId: map(param.typeId) }));
      return { ...type, returnTypeId: map(type.returnTypeId), params };
    }
    case 'DATASEC':
      return { ...type, vars: type.vars.map((info) => ({ ...info, typeId: map(info.typeId) })) };
    case 'VOID':
    case 'INT':
    case 'ENUM':
    case 'FWD':
    case 'FLOAT':
    case 'ENUM64':
    case 'UNKNOWN':
      return type;
  }
}
