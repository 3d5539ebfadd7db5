import { kindOfInfo } from '../info.js';
import { Kind } from '../kind.js';
import type { Type, TypeId } from '../types.js';
import { decodeStruct, decodeUnion } from './composite.js';
import { decodeDatasec } from './datasec.js';
import { decodeEnum, decodeEnum64 } from './enumeration.js';
import { decodeFuncProto } from './func-proto.js';
import {
  decodeArray,
  decodeDeclTag,
  decodeFunc,
  decodeReference,
  decodeTypeTag,
  decodeVar,
} from './reference.js';
import { decodeFloat, decodeFwd, decodeInt } from './scalar.js';
import type { TypeSource } from './type-source.js';
import { decodeUnknown } from './unknown.js';

/**
 * decodeType reads the type that the index found between `at` and `end`. Ids in it are not looked up.
 *
 * @throws BtfFormatError `MALFORMED` when a name lies outside of the string section.
 */
export function decodeType(source: TypeSource, at: number, end: number, id: TypeId): Type {
  const name = source.name(at, id);
  source.startElements();
  switch (kindOfInfo(source.words.i32(at + 4))) {
    case Kind.INT:
      return decodeInt(source, at, id, name);
    case Kind.PTR:
      return decodeReference(source, 'PTR', at, id, name);
    case Kind.ARRAY:
      return decodeArray(source, at, id, name);
    case Kind.STRUCT:
      return decodeStruct(source, at, id, name);
    case Kind.UNION:
      return decodeUnion(source, at, id, name);
    case Kind.ENUM:
      return decodeEnum(source, at, id, name);
    case Kind.FWD:
      return decodeFwd(source, at, id, name);
    case Kind.TYPEDEF:
      return decodeReference(source, 'TYPEDEF', at, id, name);
    case Kind.VOLATILE:
      return decodeReference(source, 'VOLATILE', at, id, name);
    case Kind.CONST:
      return decodeReference(source, 'CONST', at, id, name);
    case Kind.RESTRICT:
      return decodeReference(source, 'RESTRICT', at, id, name);
    case Kind.FUNC:
      return decodeFunc(source, at, id, name);
    case Kind.FUNC_PROTO:
      return decodeFuncProto(source, at, id, name);
    case Kind.VAR:
      return decodeVar(source, at, id, name);
    case Kind.DATASEC:
      return decodeDatasec(source, at, id, name);
    case Kind.FLOAT:
      return decodeFloat(source, at, id, name);
    case Kind.DECL_TAG:
      return decodeDeclTag(source, at, id, name);
    case Kind.TYPE_TAG:
      return decodeTypeTag(source, at, id, name);
    case Kind.ENUM64:
      return decodeEnum64(source, at, id, name);
    default:
      return decodeUnknown(source, at, end, id, name);
  }
}
