import { kindFlagOfInfo, vlenOfInfo } from '../info.js';
import type { Enum, Enum64, Enum64Value, EnumValue, TypeId } from '../types.js';
import type { TypeSource } from './type-source.js';

/** decodeEnum reads an ENUM: values are int32 where the kind flag is set, uint32 otherwise. */
export function decodeEnum(source: TypeSource, start: number, id: TypeId, name: string): Enum {
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

/** decodeEnum64 reads an ENUM64: values come as their low, then their high word in either byte order. */
export function decodeEnum64(source: TypeSource, start: number, id: TypeId, name: string): Enum64 {
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
