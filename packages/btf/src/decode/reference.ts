import { kindFlagOfInfo, vlenOfInfo } from '../info.js';
import type {
  Array,
  Const,
  DeclTag,
  Func,
  Pointer,
  Restrict,
  TypeId,
  TypeTag,
  Typedef,
  Var,
  Volatile,
} from '../types.js';
import type { TypeSource } from './type-source.js';

type Plain = Pointer | Typedef | Volatile | Const | Restrict;

/** decodeReference reads a type that is nothing but a reference to another one. */
export function decodeReference(
  { words }: TypeSource,
  kind: Plain['kind'],
  at: number,
  id: TypeId,
  name: string,
): Plain {
  return { kind, id, name, typeId: words.u32(at + 8) };
}

/** decodeArray reads an ARRAY; its size word is unused. */
export function decodeArray({ words }: TypeSource, at: number, id: TypeId, name: string): Array {
  return {
    kind: 'ARRAY',
    id,
    name,
    typeId: words.u32(at + 12),
    indexTypeId: words.u32(at + 16),
    nelems: words.u32(at + 20),
  };
}

/** decodeFunc reads a FUNC, which has its linkage in the place of vlen. */
export function decodeFunc({ words }: TypeSource, at: number, id: TypeId, name: string): Func {
  return { kind: 'FUNC', id, name, typeId: words.u32(at + 8), linkage: vlenOfInfo(words.i32(at + 4)) };
}

/** decodeVar reads a VAR. */
export function decodeVar({ words }: TypeSource, at: number, id: TypeId, name: string): Var {
  return { kind: 'VAR', id, name, typeId: words.u32(at + 8), linkage: words.u32(at + 12) };
}

/** decodeDeclTag reads a DECL_TAG. */
export function decodeDeclTag({ words }: TypeSource, at: number, id: TypeId, name: string): DeclTag {
  return {
    kind: 'DECL_TAG',
    id,
    name,
    typeId: words.u32(at + 8),
    componentIdx: words.i32(at + 12),
    attribute: kindFlagOfInfo(words.i32(at + 4)),
  };
}

/** decodeTypeTag reads a TYPE_TAG. */
export function decodeTypeTag({ words }: TypeSource, at: number, id: TypeId, name: string): TypeTag {
  return {
    kind: 'TYPE_TAG',
    id,
    name,
    typeId: words.u32(at + 8),
    attribute: kindFlagOfInfo(words.i32(at + 4)),
  };
}
