import type { Type } from '@btfd/api';
import { Kind, type NewType } from '@btfd/btf';
import { invalidRequest } from '../../error/service-error.js';

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
