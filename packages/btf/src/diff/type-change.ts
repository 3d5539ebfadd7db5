import type { DiffKind } from './diff-kinds.js';
import type { MemberFact } from './member-facts.js';
import type { TagFact } from './tag-facts.js';
import type { TypeFacts, ValueFact } from './type-facts.js';

/** Changed is a thing before and after a change. */
export interface Changed<T> {
  readonly from: T;
  readonly to: T;
}

/** ListChange is the difference between two lists of named things. */
export interface ListChange<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly changed: readonly Changed<T>[];
}

/** TypeChange is the difference between two versions of a type. */
export interface TypeChange {
  readonly kind: DiffKind;
  /** Empty for the constants of all anonymous enums. */
  readonly name: string;
  /** The sizes in bytes; null if they are equal. */
  readonly size: Changed<number | null> | null;
  /** The declarations as C writes them; null if they are equal. */
  readonly declaration: Changed<string | null> | null;
  readonly members: ListChange<MemberFact>;
  readonly values: ListChange<ValueFact>;
  readonly tags: { readonly added: readonly TagFact[]; readonly removed: readonly TagFact[] };
}

/** changeOf returns the difference between two versions of a type. */
export function changeOf(from: TypeFacts, to: TypeFacts): TypeChange {
  return {
    kind: from.kind,
    name: from.name,
    size: from.size === to.size ? null : { from: from.size, to: to.size },
    declaration: from.declaration === to.declaration ? null : { from: from.declaration, to: to.declaration },
    members: listChange(from.members, to.members),
    values: listChange(from.values, to.values),
    tags: { added: without(to.tags, from.tags), removed: without(from.tags, to.tags) },
  };
}

function without(tags: readonly TagFact[], others: readonly TagFact[]): TagFact[] {
  return tags.filter(
    ({ text, parameter }) => !others.some((one) => one.text === text && one.parameter === parameter),
  );
}

function listChange<T extends { readonly name: string }>(
  from: readonly T[],
  to: readonly T[],
): ListChange<T> {
  const left = new Map<string, { readonly ones: T[]; next: number }>();
  for (const one of to) {
    const there = left.get(one.name);
    if (there === undefined) left.set(one.name, { ones: [one], next: 0 });
    else there.ones.push(one);
  }
  const removed: T[] = [];
  const changed: Changed<T>[] = [];
  for (const one of from) {
    const there = left.get(one.name);
    const other = there?.ones[there.next++];
    if (other === undefined) removed.push(one);
    else if (JSON.stringify(one) !== JSON.stringify(other)) changed.push({ from: one, to: other });
  }
  const rest = new Set([...left.values()].flatMap(({ ones, next }) => ones.slice(next)));
  return { added: to.filter((one) => rest.has(one)), removed, changed };
}
