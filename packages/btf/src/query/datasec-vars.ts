import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { follow } from './follow.js';

/** DatasecVar is a variable with its place in a data section. */
export interface DatasecVar {
  readonly name: string;
  /** The id of the variable itself, a VAR. It is a FUNC for an `extern` function in `.ksyms`. */
  readonly id: TypeId;
  /** The id of its type. */
  readonly typeId: TypeId;
  /** A `VarLinkage`, or a `FuncLinkage` for a function. */
  readonly linkage: number;
  /** Bytes from the start of the section. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
}

/**
 * datasecVars returns the variables of a data section in the order of the section. Compilers write 0 as offset and size
 * and leave both to the linker; see `prepareBtf` for object files.
 *
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the type is not a DATASEC.
 * @throws BtfFormatError `MALFORMED` if the section contains something other than variables and functions.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if a name is too long.
 */
export function datasecVars(spec: Spec, id: TypeId): DatasecVar[] {
  const section = spec.typeById(id);
  if (section.kind !== 'DATASEC') {
    throw new BtfFormatError('INVALID_ARGUMENT', `${section.kind} is not a DATASEC`, { typeId: id });
  }
  return section.vars.map(({ typeId, offset, size }) => {
    const type = follow(spec, id, typeId);
    if (type.kind !== 'VAR' && type.kind !== 'FUNC') {
      throw new BtfFormatError('MALFORMED', `DATASEC contains a ${type.kind}, type id ${typeId}`, {
        typeId: id,
      });
    }
    return { name: type.name, id: typeId, typeId: type.typeId, linkage: type.linkage, offset, size };
  });
}
