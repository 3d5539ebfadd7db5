import { declarationOf, formatTypeName, type Spec, type Type } from '@btfd/btf';
import { memberFacts, type MemberFact } from './member-facts.js';
import { tagFacts, type TagFact } from './tag-facts.js';

/** ValueFact is a constant of an enum. */
export interface ValueFact {
  readonly name: string;
  readonly value: string;
}

/** TypeFacts are what `diff` compares of a type: all that a program compiled against it relies on, but no ids. */
export interface TypeFacts {
  readonly kind: string;
  readonly name: string;
  /** Bytes; null for what has none of its own. */
  readonly size: number | null;
  /** The type as C, of functions, variables and typedefs; what an int is; null for other kinds. */
  readonly declaration: string | null;
  readonly members: readonly MemberFact[];
  readonly values: readonly ValueFact[];
  /** Its declaration tags; those of types are written with the types. */
  readonly tags: readonly TagFact[];
}

/** factsOf are the facts of a named type. */
export function factsOf(spec: Spec, type: Type): TypeFacts {
  const tags = tagFacts(spec, type.id);
  const none = { name: type.name, size: null, declaration: null, members: [], values: [], tags };
  switch (type.kind) {
    case 'STRUCT':
    case 'UNION':
      return {
        ...none,
        kind: type.kind.toLowerCase(),
        size: type.size,
        members: memberFacts(spec, type),
      };
    case 'ENUM':
    case 'ENUM64':
      return { ...none, kind: 'enum', size: type.size, values: valuesOf(type.values) };
    case 'INT':
      return {
        ...none,
        kind: 'int',
        size: type.size,
        declaration: `${type.bits} bits, encoding ${type.encoding}`,
      };
    case 'FLOAT':
      return { ...none, kind: 'float', size: type.size };
    case 'TYPEDEF':
      return {
        ...none,
        kind: 'typedef',
        declaration: declarationOf(spec, type.id),
        ...behind(spec, type.typeId),
      };
    case 'FUNC':
      return { ...none, kind: 'func', declaration: declarationOf(spec, type.id) };
    case 'VAR':
      return { ...none, kind: 'var', declaration: declarationOf(spec, type.id) };
    case 'DATASEC':
      return {
        ...none,
        kind: 'datasec',
        size: type.size,
        members: type.vars.map(({ typeId, offset }) => ({
          name: spec.nameOf(typeId),
          type: formatTypeName(spec, typeId),
          bitOffset: offset * 8,
          bitfieldSize: 0,
          tags: [],
        })),
      };
    default:
      return { ...none, kind: type.kind.toLowerCase() };
  }
}

/** What an anonymous type adds to the typedef that names it. */
function behind(spec: Spec, id: number): Partial<TypeFacts> {
  const type = spec.typeById(id);
  if (type.name !== '') return {};
  if (type.kind === 'STRUCT' || type.kind === 'UNION') {
    return { size: type.size, members: memberFacts(spec, type) };
  }
  if (type.kind === 'ENUM' || type.kind === 'ENUM64')
    return { size: type.size, values: valuesOf(type.values) };
  return {};
}

/** valuesOf are the constants of an enum. */
export function valuesOf(
  values: readonly { readonly name: string; readonly value: number | bigint }[],
): ValueFact[] {
  return values.map(({ name, value }) => ({ name, value: String(value) }));
}
