import { encodingWord } from '../print/bpftool.js';
import { declarationOf, formatTypeName } from '../print/type-name.js';
import type { Spec } from '../spec.js';
import type { Type, TypeId } from '../types.js';
import type { DiffKind } from './diff-kinds.js';
import { type MemberFact, memberFacts } from './member-facts.js';
import { type TagFact, tagFacts } from './tag-facts.js';

/** ValueFact is a constant of an enum. */
export interface ValueFact {
  readonly name: string;
  /** In decimal. */
  readonly value: string;
}

/** TypeFacts are the properties of a type that {@link diffSpecs} compares. Programs that are compiled against the type rely on them. */
export interface TypeFacts {
  readonly kind: DiffKind;
  /** Empty for the constants of all anonymous enums. */
  readonly name: string;
  /** Bytes; null for a type without a size of its own. */
  readonly size: number | null;
  /** The C declaration of functions, variables and typedefs; size and encoding of an int; null for other kinds. */
  readonly declaration: string | null;
  readonly members: readonly MemberFact[];
  readonly values: readonly ValueFact[];
  /** Its declaration tags. Type tags are a part of the type names. */
  readonly tags: readonly TagFact[];
}

/** factsOf returns the facts of a named type; null for a kind that is not compared. */
export function factsOf(spec: Spec, type: Type): TypeFacts | null {
  const tags = tagFacts(spec, type.id);
  const none = { name: type.name, size: null, declaration: null, members: [], values: [], tags };
  switch (type.kind) {
    case 'STRUCT':
    case 'UNION':
      return {
        ...none,
        kind: type.kind === 'STRUCT' ? 'struct' : 'union',
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
        declaration: `${type.bits} bits, encoding=${encodingWord(type.encoding)}`,
      };
    case 'FLOAT':
      return { ...none, kind: 'float', size: type.size };
    case 'TYPEDEF':
      return {
        ...none,
        kind: 'typedef',
        declaration: declarationOf(spec, type.id),
        ...anonymousFacts(spec, type.typeId),
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
      return null;
  }
}

/** Returns the facts of an anonymous type that a typedef names, which count as facts of the typedef. */
function anonymousFacts(spec: Spec, id: TypeId): Partial<TypeFacts> {
  const type = spec.typeById(id);
  if (type.name !== '') return {};
  if (type.kind === 'STRUCT' || type.kind === 'UNION') {
    return { size: type.size, members: memberFacts(spec, type) };
  }
  if (type.kind === 'ENUM' || type.kind === 'ENUM64')
    return { size: type.size, values: valuesOf(type.values) };
  return {};
}

/** valuesOf returns the constants of an enum. */
export function valuesOf(
  values: readonly { readonly name: string; readonly value: number | bigint }[],
): ValueFact[] {
  return values.map(({ name, value }) => ({ name, value: String(value) }));
}
