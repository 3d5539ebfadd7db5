import { Kind, type TypeId } from '../types.js';
import { BtfBuildError } from './build-error.js';
import { ElementField, FieldChecks, type NewType } from './field-checks.js';
import type { StringPool } from './string-pool.js';

const KIND_FLAG = 1 << 31;

/** The bits of an offset next to the width of a bitfield. */
const PACKED_OFFSET = 0xffffff;

/**
 * encodeType returns the words of a type, with numbers of the pool in place of names.
 *
 * @param id the id that the type will have, for errors.
 * @throws BtfBuildError `INVALID_TYPE` for an invalid field.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for more than 16,777,215 elements.
 * @throws BtfBuildError `UNSUPPORTED` for a type of an unknown kind.
 */
export function encodeType(
  type: Exclude<NewType, { kind: 'VOID' }>,
  id: TypeId,
  pool: StringPool,
): Int32Array {
  const check = new FieldChecks(type, id, pool);
  if (type.kind === 'UNKNOWN') {
    const number = check.range(type.kindNumber, 'kindNumber', 0, 0x7f);
    const message = `${check.what}: unknown kind ${number}`;
    throw new BtfBuildError('UNSUPPORTED', message, { typeId: id });
  }
  const kind: unknown = type.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(Kind, kind) || kind === 'VOID') {
    throw check.invalid('unknown kind', 'kind');
  }
  const { info, third, data } = contents(type, check);
  const words = new Int32Array(3 + data.length);
  words.set([
    check.name(type.name === undefined ? '' : type.name, 'name'),
    (Kind[type.kind] << 24) | info,
    third,
  ]);
  words.set(data, 3);
  return words;
}

interface Contents {
  /** The info word without its kind. */
  readonly info: number;
  readonly third: number;
  readonly data: readonly number[];
}

function contents(type: Exclude<NewType, { kind: 'VOID' | 'UNKNOWN' }>, check: FieldChecks): Contents {
  switch (type.kind) {
    case 'INT': {
      const encoding = check.range(type.encoding, 'encoding', 0, 0xf);
      const offset = check.range(type.bitOffset, 'bitOffset', 0, 0xff);
      const bits = check.range(type.bits, 'bits', 0, 0xff);
      return { ...sized(type, check), data: [(encoding << 24) | (offset << 16) | bits] };
    }
    case 'PTR':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
      return { info: 0, third: check.u32(type.typeId, 'typeId'), data: [] };
    case 'ARRAY': {
      const ids = [check.u32(type.typeId, 'typeId'), check.u32(type.indexTypeId, 'indexTypeId')];
      return { info: 0, third: 0, data: [...ids, check.u32(type.nelems, 'nelems')] };
    }
    case 'STRUCT':
    case 'UNION':
      return { ...sized(type, check), ...members(type, check) };
    case 'ENUM': {
      const signed = check.flag(type.signed, 'signed');
      const [least, most] = signed ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
      const values = check.elements(type.values, 'values');
      const field = new ElementField('values');
      const data = values.flatMap(({ name, value }, i) => [
        check.name(name, field.at(i, 'name')),
        check.range(value, field.at(i, 'value'), least, most),
      ]);
      return { ...sized(type, check), info: flagged(signed, values.length), data };
    }
    case 'ENUM64': {
      const signed = check.flag(type.signed, 'signed');
      const values = check.elements(type.values, 'values');
      const field = new ElementField('values');
      const data = values.flatMap(({ name, value }, i) => [
        check.name(name, field.at(i, 'name')),
        ...check.words64(value, field.at(i, 'value'), signed),
      ]);
      return { ...sized(type, check), info: flagged(signed, values.length), data };
    }
    case 'FWD':
      return { info: flagged(check.flag(type.union, 'union'), 0), third: 0, data: [] };
    case 'FUNC': {
      const linkage = check.range(type.linkage, 'linkage', 0, 0xffff);
      return { info: linkage, third: check.u32(type.typeId, 'typeId'), data: [] };
    }
    case 'FUNC_PROTO': {
      const params = check.elements(type.params, 'params');
      const field = new ElementField('params');
      const data = params.flatMap(({ name, typeId }, i) => [
        check.name(name, field.at(i, 'name')),
        check.u32(typeId, field.at(i, 'typeId')),
      ]);
      const third = check.u32(type.returnTypeId, 'returnTypeId');
      return { info: params.length, third, data };
    }
    case 'VAR':
      return {
        info: 0,
        third: check.u32(type.typeId, 'typeId'),
        data: [check.u32(type.linkage, 'linkage')],
      };
    case 'DATASEC': {
      const vars = check.elements(type.vars, 'vars');
      const field = new ElementField('vars');
      const data = vars.flatMap(({ typeId, offset, size }, i) => [
        check.u32(typeId, field.at(i, 'typeId')),
        check.u32(offset, field.at(i, 'offset')),
        check.u32(size, field.at(i, 'size')),
      ]);
      return { ...sized(type, check), info: vars.length, data };
    }
    case 'FLOAT':
      return { ...sized(type, check), data: [] };
    case 'DECL_TAG': {
      const componentIdx = check.range(type.componentIdx, 'componentIdx', -1, 2 ** 31 - 1);
      const third = check.u32(type.typeId, 'typeId');
      return { info: flagged(check.flag(type.attribute, 'attribute'), 0), third, data: [componentIdx] };
    }
    case 'TYPE_TAG':
      return {
        info: flagged(check.flag(type.attribute, 'attribute'), 0),
        third: check.u32(type.typeId, 'typeId'),
        data: [],
      };
  }
}

function sized({ size }: { readonly size: number }, check: FieldChecks): { info: number; third: number } {
  return { info: 0, third: check.u32(size, 'size') };
}

/** One bitfield limits the offsets of all members to 24 bits. */
function members(
  type: Extract<NewType, { kind: 'STRUCT' | 'UNION' }>,
  check: FieldChecks,
): { info: number; data: number[] } {
  const list = check.elements(type.members, 'members');
  const field = new ElementField('members');
  const packed = list.some(({ bitfieldSize }) => bitfieldSize !== 0);
  const most = packed ? PACKED_OFFSET : 0xffffffff;
  const data = list.flatMap(({ name, typeId, bitOffset, bitfieldSize }, i) => [
    check.name(name, field.at(i, 'name')),
    check.u32(typeId, field.at(i, 'typeId')),
    check.range(bitOffset, field.at(i, 'bitOffset'), 0, most) |
      (check.range(bitfieldSize, field.at(i, 'bitfieldSize'), 0, 0xff) << 24),
  ]);
  return { info: flagged(packed, list.length), data };
}

function flagged(flag: boolean, vlen: number): number {
  return flag ? KIND_FLAG | vlen : vlen;
}
