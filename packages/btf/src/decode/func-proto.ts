import { vlenOfInfo } from '../info.js';
import type { FuncParam, FuncProto, TypeId } from '../types.js';
import type { TypeSource } from './type-source.js';

/** decodeFuncProto reads a FUNC_PROTO. */
export function decodeFuncProto(source: TypeSource, start: number, id: TypeId, name: string): FuncProto {
  const { words } = source;
  const end = start + 12 + vlenOfInfo(words.i32(start + 4)) * 8;
  const params: FuncParam[] = [];
  for (let at = start + 12; at < end; at += 8) {
    params.push({ name: source.elementName(at, id), typeId: words.u32(at + 4) });
  }
  return { kind: 'FUNC_PROTO', id, name, returnTypeId: words.u32(start + 8), params };
}
