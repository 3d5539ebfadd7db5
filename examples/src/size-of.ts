import type { Spec, TypeId } from '@btfd/btf';

/** The size of pointers on 64-bit kernels. BTF does not contain it. */
const POINTER_SIZE = 8;

/** sizeOf returns the size of a type in bytes, or 0 if it has none, such as a function. */
export function sizeOf(spec: Spec, id: TypeId): number {
  const type = spec.typeById(id);
  switch (type.kind) {
    case 'INT':
    case 'FLOAT':
    case 'ENUM':
    case 'ENUM64':
    case 'STRUCT':
    case 'UNION':
      return type.size;
    case 'PTR':
      return POINTER_SIZE;
    case 'ARRAY':
      return type.nelems * sizeOf(spec, type.typeId);
    case 'TYPEDEF':
    case 'CONST':
    case 'VOLATILE':
    case 'RESTRICT':
    case 'TYPE_TAG':
      return sizeOf(spec, type.typeId);
    default:
      return 0;
  }
}
