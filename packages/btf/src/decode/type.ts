import {
  type Array,
  type Const,
  type Datasec,
  type DeclTag,
  type Enum,
  type Enum64,
  type Enum64Value,
  type EnumValue,
  type Float,
  type Func,
  type FuncParam,
  type FuncProto,
  type Fwd,
  type Int,
  Kind,
  type Member,
  type Pointer,
  type Restrict,
  type Struct,
  type Type,
  type Typedef,
  type TypeId,
  type TypeTag,
  type Union,
  type Unknown,
  type Var,
  type VarSecinfo,
  type Volatile,
} from '../types.js';
import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../words.js';
import type { TypeSource } from './type-source.js';

/**
 * decodeType decodes the type between `at` and `end`. Ids in it are not looked up. A new kind needs a case here.
 *
 * @throws BtfFormatError `MALFORMED` if a name lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if names are too long.
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

/** The last word of an INT packs encoding, bit offset and bits. */
function decodeInt({ words }: TypeSource, at: number, id: TypeId, name: string): Int {
  const word = words.i32(at + 12);
  return {
    kind: 'INT',
    id,
    name,
    size: words.u32(at + 8),
    encoding: (word >>> 24) & 0xf,
    bits: word & 0xff,
    bitOffset: (word >>> 16) & 0xff,
  };
}

function decodeFloat({ words }: TypeSource, at: number, id: TypeId, name: string): Float {
  return { kind: 'FLOAT', id, name, size: words.u32(at + 8) };
}

/** The kind flag of a FWD distinguishes a union from a struct. */
function decodeFwd({ words }: TypeSource, at: number, id: TypeId, name: string): Fwd {
  return { kind: 'FWD', id, name, union: kindFlagOfInfo(words.i32(at + 4)) };
}

type Plain = Pointer | Typedef | Volatile | Const | Restrict;

/** A type that is only a reference to another one. */
function decodeReference(
  { words }: TypeSource,
  kind: Plain['kind'],
  at: number,
  id: TypeId,
  name: string,
): Plain {
  return { kind, id, name, typeId: words.u32(at + 8) };
}

/** An ARRAY does not use its size word. */
function decodeArray({ words }: TypeSource, at: number, id: TypeId, name: string): Array {
  return {
    kind: 'ARRAY',
    id,
    name,
    typeId: words.u32(at + 12),
    indexTypeId: words.u32(at + 16),
    nelems: words.u32(at + 20),
  };
}

/** A FUNC has its linkage in place of vlen. */
function decodeFunc({ words }: TypeSource, at: number, id: TypeId, name: string): Func {
  return { kind: 'FUNC', id, name, typeId: words.u32(at + 8), linkage: vlenOfInfo(words.i32(at + 4)) };
}

function decodeVar({ words }: TypeSource, at: number, id: TypeId, name: string): Var {
  return { kind: 'VAR', id, name, typeId: words.u32(at + 8), linkage: words.u32(at + 12) };
}

function decodeDeclTag({ words }: TypeSource, at: number, id: TypeId, name: string): DeclTag {
  return {
    kind: 'DECL_TAG',
    id,
    name,
    typeId: words.u32(at + 8),
    componentIdx: words.i32(at + 12),
    attribute: kindFlagOfInfo(words.i32(at + 4)),
  };
}

function decodeTypeTag({ words }: TypeSource, at: number, id: TypeId, name: string): TypeTag {
  return {
    kind: 'TYPE_TAG',
    id,
    name,
    typeId: words.u32(at + 8),
    attribute: kindFlagOfInfo(words.i32(at + 4)),
  };
}

function decodeStruct(source: TypeSource, at: number, id: TypeId, name: string): Struct {
  return { kind: 'STRUCT', id, name, size: source.words.u32(at + 8), members: decodeMembers(source, at, id) };
}

function decodeUnion(source: TypeSource, at: number, id: TypeId, name: string): Union {
  return { kind: 'UNION', id, name, size: source.words.u32(at + 8), members: decodeMembers(source, at, id) };
}

function decodeMembers(source: TypeSource, start: number, id: TypeId): Member[] {
  const { words } = source;
  const info = words.i32(start + 4);
  // With the kind flag, the offset word packs the width of a bitfield above 24 bits of offset.
  const packed = kindFlagOfInfo(info);
  const count = vlenOfInfo(info);
  const members = new globalThis.Array<Member>(count);
  let at = start + 12;
  for (let index = 0; index < count; index++, at += 12) {
    const offset = words.u32(at + 8);
    members[index] = {
      name: source.elementName(at, id),
      typeId: words.u32(at + 4),
      bitOffset: packed ? offset & 0xffffff : offset,
      bitfieldSize: packed ? offset >>> 24 : 0,
    };
  }
  return members;
}

/** Values of an ENUM are int32 with the kind flag, uint32 without it. */
function decodeEnum(source: TypeSource, start: number, id: TypeId, name: string): Enum {
  const { words } = source;
  const info = words.i32(start + 4);
  const signed = kindFlagOfInfo(info);
  const end = start + 12 + vlenOfInfo(info) * 8;
  const values: EnumValue[] = [];
  for (let at = start + 12; at < end; at += 8) {
    values.push({ name: source.elementName(at, id), value: signed ? words.i32(at + 4) : words.u32(at + 4) });
  }
  return { kind: 'ENUM', id, name, size: words.u32(start + 8), signed, values };
}

/** Values of an ENUM64 are their low word, then their high word, in both byte orders. */
function decodeEnum64(source: TypeSource, start: number, id: TypeId, name: string): Enum64 {
  const { words } = source;
  const info = words.i32(start + 4);
  const signed = kindFlagOfInfo(info);
  const end = start + 12 + vlenOfInfo(info) * 12;
  const values: Enum64Value[] = [];
  for (let at = start + 12; at < end; at += 12) {
    const low = BigInt(words.u32(at + 4));
    const high = BigInt(signed ? words.i32(at + 8) : words.u32(at + 8));
    values.push({ name: source.elementName(at, id), value: (high << 32n) | low });
  }
  return { kind: 'ENUM64', id, name, size: words.u32(start + 8), signed, values };
}

function decodeFuncProto(source: TypeSource, start: number, id: TypeId, name: string): FuncProto {
  const { words } = source;
  const end = start + 12 + vlenOfInfo(words.i32(start + 4)) * 8;
  const params: FuncParam[] = [];
  for (let at = start + 12; at < end; at += 8) {
    params.push({ name: source.elementName(at, id), typeId: words.u32(at + 4) });
  }
  return { kind: 'FUNC_PROTO', id, name, returnTypeId: words.u32(start + 8), params };
}

function decodeDatasec({ words }: TypeSource, start: number, id: TypeId, name: string): Datasec {
  const end = start + 12 + vlenOfInfo(words.i32(start + 4)) * 12;
  const vars: VarSecinfo[] = [];
  for (let at = start + 12; at < end; at += 12) {
    vars.push({ typeId: words.u32(at), offset: words.u32(at + 4), size: words.u32(at + 8) });
  }
  return { kind: 'DATASEC', id, name, size: words.u32(start + 8), vars };
}

/** The size of a type of an unknown kind comes from the layout section. */
function decodeUnknown(
  { words, bytes }: TypeSource,
  at: number,
  end: number,
  id: TypeId,
  name: string,
): Unknown {
  const info = words.i32(at + 4);
  return {
    kind: 'UNKNOWN',
    id,
    name,
    kindNumber: kindOfInfo(info),
    kindFlag: kindFlagOfInfo(info),
    vlen: vlenOfInfo(info),
    sizeOrTypeId: words.u32(at + 8),
    data: bytes.subarray(at + 12, end),
  };
}
