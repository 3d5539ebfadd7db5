import { kindFlagOfInfo } from '../info.js';
import type { Float, Fwd, Int, TypeId } from '../types.js';
import type { TypeSource } from './type-source.js';

/** decodeInt reads an INT: its last word packs encoding, bit offset and bits. */
export function decodeInt({ words }: TypeSource, at: number, id: TypeId, name: string): Int {
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

/** decodeFloat reads a FLOAT. */
export function decodeFloat({ words }: TypeSource, at: number, id: TypeId, name: string): Float {
  return { kind: 'FLOAT', id, name, size: words.u32(at + 8) };
}

/** decodeFwd reads a FWD: the kind flag tells union from struct. */
export function decodeFwd({ words }: TypeSource, at: number, id: TypeId, name: string): Fwd {
  return { kind: 'FWD', id, name, union: kindFlagOfInfo(words.i32(at + 4)) };
}
