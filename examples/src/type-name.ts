import type { FuncProto, Spec, TypeId } from '@btfd/btf';

/** typeName returns a type as in C, except that the dimensions of arrays follow the type. */
export function typeName(spec: Spec, id: TypeId): string {
  const type = spec.typeById(id);
  const inner = (innerId: TypeId): string => typeName(spec, innerId);
  switch (type.kind) {
    case 'VOID':
      return 'void';
    case 'PTR': {
      const target = spec.typeById(type.typeId);
      return target.kind === 'FUNC_PROTO' ? prototype(target, '(*)', inner) : `${inner(type.typeId)} *`;
    }
    case 'ARRAY':
      return `${inner(type.typeId)}[${type.nelems}]`;
    case 'STRUCT':
    case 'UNION':
    case 'ENUM':
      return `${type.kind.toLowerCase()} ${type.name || '{…}'}`;
    case 'ENUM64':
      return `enum ${type.name || '{…}'}`;
    case 'FWD':
      return `${type.union ? 'union' : 'struct'} ${type.name}`;
    case 'CONST':
    case 'VOLATILE':
    case 'RESTRICT':
      return `${type.kind.toLowerCase()} ${inner(type.typeId)}`;
    case 'TYPE_TAG':
      return inner(type.typeId);
    case 'FUNC_PROTO':
      return prototype(type, '()', inner);
    default:
      return type.name;
  }
}

function prototype(
  { returnTypeId, params }: FuncProto,
  declarator: string,
  inner: (id: TypeId) => string,
): string {
  const last = params.length - 1;
  // A last parameter of type void without a name means "...".
  const isVariadic = params[last]?.typeId === 0;
  const names = params.map(({ typeId }, i) => (isVariadic && i === last ? '...' : inner(typeId)));
  return `${inner(returnTypeId)} ${declarator}(${names.join(', ') || 'void'})`;
}
