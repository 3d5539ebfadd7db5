import type { Type, TypeSchema } from '@btfd/api';
import { Kind, type NewType, type Type as BtfType } from '@btfd/btf';
import type { Init } from '../base/message.js';
import { invalidRequest } from '../error/service-error.js';
import type { TypePiece } from './select/split-type.js';

/** TypeMessage is the plain object from which a `btf.v1.Type` is made. */
export type TypeMessage = Init<typeof TypeSchema>;

/** typeMessage returns the message of a type or of a piece of one. Only the first piece has the name. */
export function typeMessage({ type, continued }: TypePiece): TypeMessage {
  const { id, name } = type;
  const kind = type.kind === 'UNKNOWN' ? type.kindNumber : Kind[type.kind];
  return { id, kind, continued, name: continued ? '' : name, detail: detailOf(type) };
}

function detailOf(type: BtfType): NonNullable<TypeMessage['detail']> {
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

/**
 * newTypeOf returns the type to build for a message of a request.
 *
 * @param path names the message in errors.
 * @throws ServiceError INVALID_REQUEST if the message is not a type that can be built.
 */
export function newTypeOf({ name, kind, detail }: Type, path: string): NewType {
  const type = typeOf(detail, name, path);
  if (type.kind !== 'UNKNOWN' && kind !== 0 && kind !== Kind[type.kind]) {
    throw invalidRequest(`${path}.kind`, `is ${kind}, but ${detail.case} is given`);
  }
  return type;
}

function typeOf(detail: Type['detail'], name: string, path: string): NewType {
  switch (detail.case) {
    case 'int':
      return { kind: 'INT', name, ...detail.value };
    case 'ptr':
      return { kind: 'PTR', name, ...detail.value };
    case 'array':
      return { kind: 'ARRAY', name, ...detail.value };
    case 'struct':
      return { kind: 'STRUCT', name, ...detail.value };
    case 'union':
      return { kind: 'UNION', name, ...detail.value };
    case 'enum': {
      const { size, signed } = detail.value;
      const values = detail.value.values.map((item, index) => ({
        name: item.name,
        value: enumValue(item.value, signed, `${path}.enum.values[${index}].value`),
      }));
      return { kind: 'ENUM', name, size, signed, values };
    }
    case 'fwd':
      return { kind: 'FWD', name, ...detail.value };
    case 'typedef':
      return { kind: 'TYPEDEF', name, ...detail.value };
    case 'volatile':
      return { kind: 'VOLATILE', name, ...detail.value };
    case 'const':
      return { kind: 'CONST', name, ...detail.value };
    case 'restrict':
      return { kind: 'RESTRICT', name, ...detail.value };
    case 'func':
      return { kind: 'FUNC', name, ...detail.value };
    case 'funcProto':
      return { kind: 'FUNC_PROTO', name, ...detail.value };
    case 'var':
      return { kind: 'VAR', name, ...detail.value };
    case 'datasec':
      return { kind: 'DATASEC', name, ...detail.value };
    case 'float':
      return { kind: 'FLOAT', name, ...detail.value };
    case 'declTag':
      return { kind: 'DECL_TAG', name, ...detail.value };
    case 'typeTag':
      return { kind: 'TYPE_TAG', name, ...detail.value };
    case 'enum64': {
      const { size, signed } = detail.value;
      const values = detail.value.values.map((item) => ({
        name: item.name,
        value: signed ? BigInt.asIntN(64, item.bits) : item.bits,
      }));
      return { kind: 'ENUM64', name, size, signed, values };
    }
    case 'unknown':
      throw invalidRequest(`${path}.unknown`, 'a type of unknown kind cannot be built');
    case undefined:
      throw invalidRequest(`${path}.detail`, 'is required');
  }
}

/** Returns a value of an enum, which has 32 bits. */
function enumValue(value: bigint, signed: boolean, path: string): number {
  const fits = signed ? BigInt.asIntN(32, value) : BigInt.asUintN(32, value);
  if (fits !== value)
    throw invalidRequest(path, `${value} does not fit ${signed ? 'a signed' : 'an unsigned'} enum`);
  return Number(value);
}
