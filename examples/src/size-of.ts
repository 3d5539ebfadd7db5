import type { Spec, TypeId } from '@btfd/btf';

/** BTF does not tell the size of pointers: this is that of 64-bit kernels. */
const POINTER_SIZE = 8;

/** sizeOf is the size of a type in bytes; 0 for what has none, such as a function. */
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
