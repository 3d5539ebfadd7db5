import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../info.js';
import type { TypeId, Unknown } from '../types.js';
import type { TypeSource } from './type-source.js';

/** decodeUnknown keeps a type of a kind that is not known; `end` comes from the layout section's sizes. */
export function decodeUnknown(
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
