import type { Spec } from '../spec.js';
import { type Int, Kind, type TypeId } from '../types.js';
import { resolveId } from './resolve.js';

/**
 * isOldBitfield reports whether an INT leaves some of its bits unused. Before the kind flag of structs (Linux 4.20), a
 * bitfield was a member of such a type: the INT had its width, and its offset within the INT.
 */
export function isOldBitfield({ size, bits, bitOffset }: Pick<Int, 'size' | 'bits' | 'bitOffset'>): boolean {
  return bitOffset !== 0 || bits !== size * 8;
}

/**
 * oldBitfieldOf returns the INT that makes a member of a type a bitfield, as before Linux 4.20. Returns null if the type is
 * another one.
 *
 * @throws BtfReadError as `resolve` does.
 */
export function oldBitfieldOf(spec: Spec, typeId: TypeId): Int | null {
  const id = resolveId(spec, typeId);
  const type = spec.kindOf(id) === Kind.INT ? spec.typeById(id) : null;
  return type?.kind === 'INT' && isOldBitfield(type) ? type : null;
}
