import { kindFlagOfInfo, vlenOfInfo } from '../info.js';
import type { Member, Struct, TypeId, Union } from '../types.js';
import type { TypeSource } from './type-source.js';

/** decodeStruct reads a STRUCT. */
export function decodeStruct(source: TypeSource, at: number, id: TypeId, name: string): Struct {
  return { kind: 'STRUCT', id, name, size: source.words.u32(at + 8), members: decodeMembers(source, at, id) };
}

/** decodeUnion reads a UNION. */
export function decodeUnion(source: TypeSource, at: number, id: TypeId, name: string): Union {
  return { kind: 'UNION', id, name, size: source.words.u32(at + 8), members: decodeMembers(source, at, id) };
}

function decodeMembers(source: TypeSource, start: number, id: TypeId): Member[] {
  const { words } = source;
  const info = words.i32(start + 4);
  // With the kind flag, the offset word packs the width of a bitfield above 24 bits of offset.
  const packed = kindFlagOfInfo(info);
  const end = start + 12 + vlenOfInfo(info) * 12;
  const members: Member[] = [];
  for (let at = start + 12; at < end; at += 12) {
    const offset = words.u32(at + 8);
    members.push({
      name: source.elementName(at, id),
      typeId: words.u32(at + 4),
      bitOffset: packed ? offset & 0xffffff : offset,
      bitfieldSize: packed ? offset >>> 24 : 0,
    });
  }
  return members;
}
