import { vlenOfInfo } from '../info.js';
import type { Datasec, TypeId, VarSecinfo } from '../types.js';
import type { TypeSource } from './type-source.js';

/** decodeDatasec reads a DATASEC. */
export function decodeDatasec({ words }: TypeSource, start: number, id: TypeId, name: string): Datasec {
  const end = start + 12 + vlenOfInfo(words.i32(start + 4)) * 12;
  const vars: VarSecinfo[] = [];
  for (let at = start + 12; at < end; at += 12) {
    vars.push({ typeId: words.u32(at), offset: words.u32(at + 4), size: words.u32(at + 8) });
  }
  return { kind: 'DATASEC', id, name, size: words.u32(start + 8), vars };
}
