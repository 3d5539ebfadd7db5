import type { TypeSchema } from '@btfd/api';
import { Kind, type Type } from '@btfd/btf';
import type { Init } from '../../base/message.js';
import type { TypePiece } from './split-type.js';

/** TypeMessage is the plain object from which a `btf.v1.Type` is made. */
export type TypeMessage = Init<typeof TypeSchema>;

/** typeMessage returns the message of a type or of a piece of one. Only the first piece has the name. */
export function typeMessage({ type, continued }: TypePiece): TypeMessage {
  const { id, name } = type;
  const kind = type.kind === 'UNKNOWN' ? type.kindNumber : Kind[type.kind];
  return { id, kind, continued, name: continued ? '' : name, detail: detailOf(type) };
}

function detailOf(type: Type): NonNullable<TypeMessage['detail']> {
  switch (type.kind) {
    case 'VOID':
      return { case: undefined };
    case 'INT': {
      const { size, encoding, bits, bitOffset } = type;
      return { case: 'int', value: { size, encoding, bits, bitOffset } };
    }
    case 'PTR':
      return { case: 'ptr', value: { typeId: type.typeId } };
    case 'ARRAY': {
      const { typeId, indexTypeId, nelems } = type;
      return { case: 'array', value: { typeId, indexTypeId, nelems } };
    }
    case 'STRUCT':
      return { case: 'struct', value: { size: type.size, members: [...type.members] } };
    case 'UNION':
      return { case: 'union', value: { size: type.size, members: [...type.members] } };
    case 'ENUM': {
      const values = type.values.map(({ name, value }) => ({ name, value: BigInt(value) }));
      return { case: 'enum', value: { size: type.size, signed: type.signed, values } };
    }
    case 'FWD':
      return { case: 'fwd', value: { union: type.union } };
    case 'TYPEDEF':
      return { case: 'typedef', value: { typeId: type.typeId } };
    case 'VOLATILE':
      return { case: 'volatile', value: { typeId: type.typeId } };
    case 'CONST':
      return { case: 'const', value: { typeId: type.typeId } };
    case 'RESTRICT':
      return { case: 'restrict', value: { typeId: type.typeId } };
    case 'FUNC':
      return { case: 'func', value: { typeId: type.typeId, linkage: type.linkage } };
    case 'FUNC_PROTO':
      return { case: 'funcProto', value: { returnTypeId: type.returnTypeId, params: [...type.params] } };
    case 'VAR':
      return { case: 'var', value: { typeId: type.typeId, linkage: type.linkage } };
    case 'DATASEC':
      return { case: 'datasec', value: { size: type.size, vars: [...type.vars] } };
    case 'FLOAT':
      return { case: 'float', value: { size: type.size } };
    case 'DECL_TAG': {
      const { typeId, componentIdx, attribute } = type;
      return { case: 'declTag', value: { typeId, componentIdx, attribute } };
    }
    case 'TYPE_TAG':
      return { case: 'typeTag', value: { typeId: type.typeId, attribute: type.attribute } };
    case 'ENUM64': {
      const values = type.values.map(({ name, value }) => ({ name, bits: BigInt.asUintN(64, value) }));
      return { case: 'enum64', value: { size: type.size, signed: type.signed, values } };
    }
    case 'UNKNOWN':
      break;
  }
  const { kindFlag, vlen, sizeOrTypeId, data } = type;
  return { case: 'unknown', value: { kindFlag, vlen, sizeOrTypeId, data } };
}
