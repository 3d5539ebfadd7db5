import { BtfFormatError, type Spec } from '@btfd/btf';
import { type Change, changeOf } from './change.js';
import { DIFF_KINDS } from './diff-kinds.js';
import { type DiffScope, diffScope, type DiffSelection } from './diff-scope.js';
import { factsOf, type TypeFacts, type ValueFact, valuesOf } from './type-facts.js';

/** SpecDiff is the difference between the types of two specs. Types are matched by kind and name. */
export interface SpecDiff {
  readonly added: readonly TypeFacts[];
  readonly removed: readonly TypeFacts[];
  readonly changed: readonly Change[];
  /** The number of types that are the same. */
  readonly same: number;
}

/**
 * More members than any kernel has. The members of an anonymous type count for each type that contains it, so a file of
 * one megabyte could have billions.
 */
const MAX_MEMBERS = 2 ** 20;

/** diffSpecs compares types of two specs. @throws BtfFormatError if anonymous types nest too deeply or are too many. */
export function diffSpecs(a: Spec, b: Spec, selection: DiffSelection, maxMembers = MAX_MEMBERS): SpecDiff {
  const scope = diffScope(a, b, selection);
  if (isSame(a, b)) return { added: [], removed: [], changed: [], same: countCompared(a, scope) };
  const before = factsByKey(a, scope, maxMembers);
  const after = factsByKey(b, scope, maxMembers);
  const added: TypeFacts[] = [];
  const removed: TypeFacts[] = [];
  const changed: Change[] = [];
  let same = 0;
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const { rest, others, equal } = unequal(before.get(key) ?? [], after.get(key) ?? []);
    same += equal;
    for (let at = 0; at < Math.max(rest.length, others.length); at++) {
      const [from, to] = [rest[at], others[at]];
      if (from !== undefined && to !== undefined) changed.push(changeOf(from, to));
      else if (from !== undefined) removed.push(from);
      else if (to !== undefined) added.push(to);
    }
  }
  return { added: inOrder(added), removed: inOrder(removed), changed: inOrder(changed), same };
}

/** Reports whether two specs have the same bytes, as on two nodes with one kernel. There is no need to compare their types. */
function isSame(a: Spec, b: Spec): boolean {
  if (a.base !== null && b.base !== null)
    return Buffer.compare(a.bytes, b.bytes) === 0 && isSame(a.base, b.base);
  return a.base === b.base && Buffer.compare(a.bytes, b.bytes) === 0;
}

function inOrder<T extends { readonly kind: string; readonly name: string }>(types: readonly T[]): T[] {
  const rank = ({ kind }: T): number => DIFF_KINDS.findIndex((known) => known === kind);
  return types.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : Number(a.name > b.name)));
}

function factsByKey(spec: Spec, scope: DiffScope, maxMembers: number): Map<string, TypeFacts[]> {
  const byKey = new Map<string, TypeFacts[]>();
  let members = 0;
  for (const facts of comparedTypes(spec, scope)) {
    members += facts.members.length;
    if (members > maxMembers) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `the types have more than ${maxMembers} members in all`);
    }
    const key = `${facts.kind} ${facts.name}`;
    const there = byKey.get(key);
    if (there === undefined) byKey.set(key, [facts]);
    else there.push(facts);
  }
  return byKey;
}

function* comparedTypes(spec: Spec, scope: DiffScope): Generator<TypeFacts, void, undefined> {
  const constants: ValueFact[] = [];
  for (const id of scope(spec)) {
    const type = spec.typeById(id);
    if (type.name !== '') yield factsOf(spec, type);
    else if (type.kind === 'ENUM' || type.kind === 'ENUM64') constants.push(...valuesOf(type.values));
  }
  if (constants.length > 0) {
    yield { kind: 'enum', name: '', size: null, declaration: null, members: [], values: constants, tags: [] };
  }
}

/** Returns the number of types that {@link comparedTypes} yields. All anonymous enums together are one. */
function countCompared(spec: Spec, scope: DiffScope): number {
  let named = 0;
  let anonymous = 0;
  for (const id of scope(spec)) {
    if (spec.nameOf(id) === '') anonymous = 1;
    else named += 1;
  }
  return named + anonymous;
}

interface Unequal {
  readonly rest: readonly TypeFacts[];
  readonly others: readonly TypeFacts[];
  readonly equal: number;
}

/** Removes equal types from both sides. Names can repeat, also in kernels, whose types are not always fully deduplicated. */
function unequal(before: readonly TypeFacts[], after: readonly TypeFacts[]): Unequal {
  const prints = after.map((facts) => JSON.stringify(facts));
  const left = new Map<string, number>();
  for (const print of prints) left.set(print, (left.get(print) ?? 0) + 1);
  const pairs = new Map<string, number>();
  const rest = before.filter((facts) => {
    const print = JSON.stringify(facts);
    const count = pairs.get(print) ?? 0;
    if (count === (left.get(print) ?? 0)) return true;
    pairs.set(print, count + 1);
    return false;
  });
  // The first of equal types are the pairs of those before.
  const others = after.filter((_, index) => {
    const print = prints[index] ?? '';
    const count = pairs.get(print) ?? 0;
    if (count > 0) pairs.set(print, count - 1);
    return count === 0;
  });
  return { rest, others, equal: before.length - rest.length };
}
