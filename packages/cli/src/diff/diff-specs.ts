import { Kind, type Spec, type TypeId } from '@btfd/btf';
import { type Change, changeOf } from './change.js';
import { DIFF_KINDS, type DiffKind } from './diff-kinds.js';
import { factsOf, type TypeFacts, type ValueFact, valuesOf } from './type-facts.js';

/** SpecDiff is how the types of two specs differ. Types are told apart by kind and name. */
export interface SpecDiff {
  readonly added: readonly TypeFacts[];
  readonly removed: readonly TypeFacts[];
  readonly changed: readonly Change[];
  /** How many types are the same. */
  readonly same: number;
}

/** Wanted tells of the kind and name of a type whether to compare it. */
export type Wanted = (kind: string, name: string) => boolean;

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

/** diffSpecs compares the types of two specs that are wanted, not those of their bases. */
export function diffSpecs(a: Spec, b: Spec, wanted: Wanted): SpecDiff {
  if (isSame(a, b)) return { added: [], removed: [], changed: [], same: countCompared(a, wanted) };
  const before = factsByKey(a, wanted);
  const after = factsByKey(b, wanted);
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

/** Two nodes with one kernel, as a rule: there is no need to compare type by type. */
function isSame(a: Spec, b: Spec): boolean {
  if (a.base !== null && b.base !== null)
    return Buffer.compare(a.bytes, b.bytes) === 0 && isSame(a.base, b.base);
  return a.base === b.base && Buffer.compare(a.bytes, b.bytes) === 0;
}

function inOrder<T extends { readonly kind: string; readonly name: string }>(types: readonly T[]): T[] {
  const rank = ({ kind }: T): number => DIFF_KINDS.findIndex((known) => known === kind);
  return types.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : Number(a.name > b.name)));
}

function factsByKey(spec: Spec, wanted: Wanted): Map<string, TypeFacts[]> {
  const byKey = new Map<string, TypeFacts[]>();
  for (const facts of comparedTypes(spec, wanted)) {
    const key = `${facts.kind} ${facts.name}`;
    const there = byKey.get(key);
    if (there === undefined) byKey.set(key, [facts]);
    else there.push(facts);
  }
  return byKey;
}

function* comparedTypes(spec: Spec, wanted: Wanted): Generator<TypeFacts, void, undefined> {
  const constants: ValueFact[] = [];
  for (const id of comparedIds(spec, wanted)) {
    const type = spec.typeById(id);
    if (type.name !== '') yield factsOf(spec, type);
    else if (type.kind === 'ENUM' || type.kind === 'ENUM64') constants.push(...valuesOf(type.values));
  }
  if (constants.length > 0) {
    yield { kind: 'enum', name: '', size: null, declaration: null, members: [], values: constants };
  }
}

/** The ids of named types and of anonymous enums, whose constants are in scope for whoever includes them. */
function* comparedIds(spec: Spec, wanted: Wanted): Generator<TypeId, void, undefined> {
  for (let id = spec.firstTypeId; id < spec.endTypeId; id++) {
    const word = COMPARED.get(spec.kindOf(id));
    if (word === undefined) continue;
    const name = spec.nameOf(id);
    if ((name !== '' || word === 'enum') && wanted(word, name)) yield id;
  }
}

/** How many types {@link comparedTypes} gives: anonymous enums are one together. */
function countCompared(spec: Spec, wanted: Wanted): number {
  let named = 0;
  let anonymous = 0;
  for (const id of comparedIds(spec, wanted)) {
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

/** Takes out what is on both sides: names repeat, in kernels whose types are not fully deduplicated too. */
function unequal(before: readonly TypeFacts[], after: readonly TypeFacts[]): Unequal {
  const others = after.map((facts) => ({ facts, print: JSON.stringify(facts) }));
  const rest = before.filter((facts) => {
    const print = JSON.stringify(facts);
    const at = others.findIndex((other) => other.print === print);
    if (at !== -1) others.splice(at, 1);
    return at === -1;
  });
  return {
    rest,
    others: others.map(({ facts }) => facts),
    equal: before.length - rest.length,
  };
}
