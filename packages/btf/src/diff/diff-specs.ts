import { run } from '../core/refusal.js';
import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import { DIFF_KINDS, type DiffKind } from './diff-kinds.js';
import { type DiffScope, type DiffSelection, scopeSteps } from './diff-scope.js';
import { changeOf, type TypeChange } from './type-change.js';
import { factsOf, type TypeFacts, type ValueFact, valuesOf } from './type-facts.js';

/** DiffOptions are the options of {@link diffSpecs}. */
export interface DiffOptions extends DiffSelection {
  /**
   * Maximum number of members of all types of one spec. The members of an anonymous type count for each type that contains
   * it, so a file of one megabyte could have billions. Default: 1,048,576, more than any kernel has.
   */
  readonly maxMembers?: number | undefined;
}

/** SpecDiff is the difference between the types of two specs. */
export interface SpecDiff {
  /** The types that only the second spec has, by kind and name. */
  readonly added: readonly TypeFacts[];
  /** The types that only the first spec has. */
  readonly removed: readonly TypeFacts[];
  /** The types that both have, and that differ. */
  readonly changed: readonly TypeChange[];
  /** The number of types that are the same. */
  readonly same: number;
}

const MAX_MEMBERS = 2 ** 20;

/**
 * diffSpecs compares the types of two specs, such as two builds of a kernel. Types are matched by kind and name. It compares
 * sizes, members with their offsets and types, the values of enums, the types of functions, variables and typedefs, and
 * declaration tags. An anonymous type counts as a part of the types that contain it. Of types with one name, those that are
 * equal are matched first. The ids and the order of types make no difference.
 *
 * Of split BTF only its own types are compared. With `closure` the types of the base that they refer to are compared too.
 *
 * ```ts
 * const { changed } = diffSpecs(before, after, { named: (name) => name === 'task_struct' });
 * for (const { members } of changed) console.log(members.removed, members.added);
 * ```
 *
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more members than `maxMembers` or than 65,536 in one type, for anonymous types that
 * nest deeper than 32 levels, and for names that are too long.
 * @throws BtfFormatError `MALFORMED` for a reference to a type that does not exist, and for a name outside the string
 * section.
 */
export function diffSpecs(from: Spec, to: Spec, options: DiffOptions = {}): SpecDiff {
  return run(diffSteps(from, to, options));
}

/** Types between two pauses: some milliseconds. */
const STEP_TYPES = 256;

/**
 * diffSteps is {@link diffSpecs} in steps: it yields after some milliseconds of work each. All types of two kernels take seconds.
 *
 * @throws BtfReadError as {@link diffSpecs} does.
 */
export function* diffSteps(from: Spec, to: Spec, options: DiffOptions = {}): Generator<null, SpecDiff, void> {
  const { maxMembers = MAX_MEMBERS, ...selection } = options;
  const scope = yield* scopeSteps(from, to, selection);
  if (isSame(from, to)) return { added: [], removed: [], changed: [], same: countCompared(from, scope) };
  const before = yield* factsByKey(from, scope, maxMembers);
  const after = yield* factsByKey(to, scope, maxMembers);
  const added: TypeFacts[] = [];
  const removed: TypeFacts[] = [];
  const changed: TypeChange[] = [];
  let same = 0;
  let steps = 0;
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    steps += 1;
    if (steps % STEP_TYPES === 0) yield null;
    const { rest, others, equal } = unequal(before.get(key) ?? [], after.get(key) ?? []);
    same += equal;
    for (let at = 0; at < Math.max(rest.length, others.length); at++) {
      const [old, young] = [rest[at], others[at]];
      if (old !== undefined && young !== undefined) changed.push(changeOf(old, young));
      else if (old !== undefined) removed.push(old);
      else if (young !== undefined) added.push(young);
    }
  }
  return { added: inOrder(added), removed: inOrder(removed), changed: inOrder(changed), same };
}

/** Reports whether two specs have the same bytes, as on two nodes with one kernel. There is no need to compare their types. */
function isSame(a: Spec, b: Spec): boolean {
  if (a === b) return true;
  const { base } = a;
  const isSameBase = base === null || b.base === null ? base === b.base : isSame(base, b.base);
  return isSameBase && areEqual(a.bytes, b.bytes);
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

function inOrder<T extends { readonly kind: DiffKind; readonly name: string }>(types: readonly T[]): T[] {
  const kinds = [...DIFF_KINDS.values()];
  const rank = ({ kind }: T): number => kinds.indexOf(kind);
  return types.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : Number(a.name > b.name)));
}

function* factsByKey(
  spec: Spec,
  scope: DiffScope,
  maxMembers: number,
): Generator<null, Map<string, TypeFacts[]>, void> {
  const byKey = new Map<string, TypeFacts[]>();
  let members = 0;
  let steps = 0;
  for (const facts of comparedTypes(spec, scope)) {
    steps += 1;
    if (steps % STEP_TYPES === 0) yield null;
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
    const facts = type.name === '' ? null : factsOf(spec, type);
    if (facts !== null) yield facts;
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
