import { Kind, type NameTest, postorder, type Spec, type TypeId } from '@btfd/btf';
import type { DiffKind } from './diff-kinds.js';

/** DiffWish says which types to compare. */
export interface DiffWish {
  /** Tells of a name whether to compare the types that have it; null for all types. */
  readonly named: NameTest | null;
  /** Null for all kinds. */
  readonly kind: DiffKind | null;
  /** Whether to compare all that those types refer to as well, the base's types included. */
  readonly closure: boolean;
}

/** DiffScope lists the types of a spec that are compared: named ones, and anonymous enums. */
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

/** diffScope is what is compared of two specs: of each what was asked for, without its base's types unless they are referred to. */
export function diffScope(a: Spec, b: Spec, wish: DiffWish): DiffScope {
  const { named, kind, closure } = wish;
  if (!closure) {
    return (spec) =>
      idsFrom(spec, spec.firstTypeId, (word, name) => isKind(kind, word) && (named?.(name) ?? true));
  }
  // Of both: what only one of them refers to is compared where both have it, and not told as removed.
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

/** Named types and anonymous enums, whose constants are in scope for whoever includes them. */
function* idsFrom(
  spec: Spec,
  first: TypeId,
  isWanted: (word: DiffKind, name: string, id: TypeId) => boolean,
): Generator<TypeId, void, undefined> {
  for (let id = first; id < spec.endTypeId; id++) {
    const word = COMPARED.get(spec.kindOf(id));
    if (word === undefined) continue;
    const name = spec.nameOf(id);
    if ((name !== '' || word === 'enum') && isWanted(word, name, id)) yield id;
  }
}
