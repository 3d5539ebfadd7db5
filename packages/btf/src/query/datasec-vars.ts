import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { follow } from './follow.js';

/** DatasecVar is a variable with its place in a data section. */
export interface DatasecVar {
  readonly name: string;
  /** The id of the variable itself, a VAR; of a FUNC for an `extern` function in `.ksyms`. */
  readonly id: TypeId;
  /** The id of its type. */
  readonly typeId: TypeId;
  /** A `VarLinkage`; for a function a `FuncLinkage`. */
  readonly linkage: number;
  /** Bytes from the start of the section. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
}

/**
 * datasecVars lists the variables of a data section in the order in which it has them. Compilers write offset and
 * size as 0 and leave them to the linker.
 *
 * @throws BtfFormatError `NOT_FOUND` when there is no such id; `INVALID_ARGUMENT` when it is no DATASEC;
 * `MALFORMED` when the section has something else than variables and functions.
 */
export function datasecVars(spec: Spec, id: TypeId): DatasecVar[] {
  const section = spec.typeById(id);
  if (section.kind !== 'DATASEC') {
    throw new BtfFormatError('INVALID_ARGUMENT', `${section.kind} is no DATASEC`, { typeId: id });
  }
  return section.vars.map(({ typeId, offset, size }) => {
    const type = follow(spec, id, typeId);
    if (type.kind !== 'VAR' && type.kind !== 'FUNC') {
      throw new BtfFormatError('MALFORMED', `DATASEC has a ${type.kind}, type id ${typeId}`, { typeId: id });
    }
    return { name: type.name, id: typeId, typeId: type.typeId, linkage: type.linkage, offset, size };
  });
}
