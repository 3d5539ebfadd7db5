import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { Type, TypeId } from '../types.js';

/**
 * follow decodes the type that another one refers to.
 *
 * @param from the type that has the reference, for the error.
 * @throws BtfFormatError `MALFORMED` when there is no such type: the id comes from the BTF, not from the caller.
 */
export function follow(spec: Spec, from: TypeId, to: TypeId): Type {
  return spec.typeById(followed(spec, from, to));
}

/** followed is {@link follow} for who needs no more than the id. */
export function followed(spec: Spec, from: TypeId, to: TypeId): TypeId {
  if (to < spec.endTypeId) return to;
  throw new BtfFormatError('MALFORMED', `reference to type id ${to}, which does not exist`, {
    typeId: from,
  });
}
