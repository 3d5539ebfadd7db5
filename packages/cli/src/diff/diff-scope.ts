import { Kind, type NameTest, postorder, type Spec, type TypeId } from '@btfd/btf';
import type { DiffKind } from './diff-kinds.js';

/** DiffSelection chooses the types to compare. */
export interface DiffSelection {
  /** The names of the types to compare; null for all types. */
  readonly named: NameTest | null;
  /** Null for all kinds. */
  readonly kind: DiffKind | null;
  /** Whether to also compare the types that these refer to, including types of the base. */
  readonly closure: boolean;
}

/** DiffScope lists the types of a spec to compare: named types, and anonymous enums. */
export type DiffScope = (spec: Spec) => Iterable<TypeId>;

const COMPARED: ReadonlyMap<number, DiffKind> = new Map([
  [Kind.STRUCT, 'struct'],
  [Kind.UNION, 'union'],
  [Kind.ENUM, 'enum'],
  [Kind.ENUM64, 'enum'],
  [Kind.TYPEDEF, 'typedef'],
  [Kind.FUNC, 'func'],
  [Kind.VAR, 'var'],
  [Kind.DATASEC, 'datasec'],
  [Kind.INT, 'int'],
  [Kind.FLOAT, 'float'],
]);

/** diffScope returns the types of two specs to compare. Types of a base are only compared with `closure`. */
export function diffScope(a: Spec, b: Spec, selection: DiffSelection): DiffScope {
  const { named, kind, closure } = selection;
  if (!closure) {
    return (spec) =>
      idsFrom(spec, spec.firstTypeId, (word, name) => isKind(kind, word) && (named?.(name) ?? true));
  }
  // The keys of both: a type that only one side refers to is compared if both have it, and not reported as removed.
  const keys = new Set([...keysOf(a, named), ...keysOf(b, named)]);
  return (spec) =>
    idsFrom(spec, 1, (word, name, id) => {
      if (!isKind(kind, word)) return false;
      return name === '' ? id >= spec.firstTypeId && (named?.(name) ?? true) : keys.has(key(word, name));
    });
}

function isKind(wanted: DiffKind | null, word: DiffKind): boolean {
  return wanted === null || wanted === word;
}

function* keysOf(spec: Spec, named: NameTest | null): Generator<string, void, undefined> {
  const roots = idsFrom(spec, spec.firstTypeId, (_, name) => named?.(name) ?? true);
  for (const id of postorder(spec, roots)) {
    const word = COMPARED.get(spec.kindOf(id));
    if (word !== undefined) yield key(word, spec.nameOf(id));
  }
}

function key(word: DiffKind, name: string): string {
  return `${word} ${name}`;
}

/** Iterates over named types and anonymous enums, whose constants are global names in C. */
function* idsFrom(
  spec: Spec,
  first: TypeId,
  isWanted: (word: DiffKind, name: string, id: TypeId) => boolean,
): Generator<TypeId, void, undefined> {
  for (const id of spec.typeIds(first)) {
    const word = COMPARED.get(spec.kindOf(id));
    if (word === undefined) continue;
    const name = spec.nameOf(id);
    if ((name !== '' || word === 'enum') && isWanted(word, name, id)) yield id;
  }
}
