import { isEnumKind, isTypeKind } from '../core/access.js';
import type { ResolvedRelocation } from '../core/resolution.js';
import { BtfReadError } from '../format-error.js';
import { essentialName } from '../query/flavours.js';
import { flatMembers } from '../query/flat-members.js';
import { MemberPathError } from '../query/member-error.js';
import { parseMemberPath, type PathStep } from '../query/member-path.js';
import { nearNames, nearTypeNames } from '../query/near-names.js';
import { resolveId } from '../query/resolve.js';
import { resolveMemberOf } from '../query/resolve-member.js';
import type { Spec } from '../spec.js';
import { Kind, type KindName, type TypeId } from '../types.js';
import type { KernelObjects } from './kernel-objects.js';

/** The searches for an object. One for a type looks at every name of the kernel. */
const MAX_SEARCHES = 64;

/** More members or values are not compared. */
const MAX_NAMES = 4096;

const MAX_NEAR = 3;

/** A shorter name is in others by chance. */
const MIN_WORDS = 3;

/** The numbers of kinds that stand for each other. */
const ALIKE: readonly (readonly number[])[] = [
  [Kind.ENUM, Kind.ENUM64],
  [Kind.STRUCT, Kind.UNION],
];

/**
 * NearNames finds names of a kernel that missing names may have been meant to be: three at most, nearest first. It looks for
 * each once, and for 64 of them, which takes some milliseconds each.
 */
export class NearNames {
  readonly #kernel: KernelObjects;
  readonly #local: Spec;
  readonly #known = new Map<string, readonly string[]>();

  /** @param local the types of the object. */
  constructor(kernel: KernelObjects, local: Spec) {
    this.#kernel = kernel;
    this.#local = local;
  }

  /** ofType returns names of types near `prefix` and a name, without the prefix. */
  ofType(kind: KindName, name: string, prefix = ''): readonly string[] {
    if (kind === 'UNKNOWN') return [];
    return this.#once(`${kind} ${prefix}${name}`, () =>
      this.#types(prefix + name, [Kind[kind]], prefix.length),
    );
  }

  /** ofMember returns names of members of a type of the kernel. */
  ofMember(spec: Spec, typeId: TypeId, name: string): readonly string[] {
    return this.#once(`member ${name} ${typeId}`, () => this.#members(spec, typeId, [{ member: name }]));
  }

  /** ofRelocation returns names of types, of members or of values of an enum near the one that a relocation lacks. */
  ofRelocation(relocation: ResolvedRelocation): readonly string[] {
    const { kind, local } = relocation;
    if (kind === null || local === null) return [];
    return this.#once(`${kind} ${local.text}`, () => {
      const candidate = relocation.candidates.find(({ place }) => place === null);
      if (candidate === undefined) {
        const own = this.#local.kindOf(local.typeId);
        const kinds = ALIKE.find((alike) => alike.includes(own)) ?? [own];
        return relocation.candidateCount > 0
          ? []
          : this.#types(essentialName(this.#local.nameOf(local.typeId)), kinds);
      }
      const spec = this.#kernel.specOf(candidate.object);
      if (spec === null || isTypeKind(kind)) return [];
      if (isEnumKind(kind)) return valuesNear(spec, candidate.typeId, local.text);
      return this.#members(spec, candidate.typeId, parseMemberPath(local.text).steps);
    });
  }

  /** The names of types in vmlinux, or else in the modules that were read. */
  #types(name: string, kinds: readonly number[], cut = 0): readonly string[] {
    const { vmlinux, readSpecs } = this.#kernel;
    const near = new Set(sameButForUnderscores(vmlinux.spec, name, kinds));
    for (const found of nearTypeNames(vmlinux.spec, name, { kinds })) near.add(found);
    for (const spec of near.size > 0 ? [] : readSpecs) {
      for (const found of nearTypeNames(spec, name, { kinds, firstId: spec.firstTypeId })) near.add(found);
    }
    return [...near].slice(0, MAX_NEAR).map((found) => found.slice(cut));
  }

  /** The names of members of the struct in which a path ends too early. */
  #members(spec: Spec, rootId: TypeId, steps: readonly PathStep[]): readonly string[] {
    const at = failingStep(spec, rootId, steps);
    const step = at === null ? undefined : steps[at];
    if (at === null || step === undefined || !('member' in step)) return [];
    const holder =
      at === 0 ? rootId : resolveMemberOf(spec, rootId, steps.slice(0, at), { suggest: false }).typeId;
    const type = spec.typeById(resolveId(spec, holder));
    if (type.kind !== 'STRUCT' && type.kind !== 'UNION') return [];
    const names: string[] = [];
    for (const { member } of flatMembers(spec, type)) {
      names.push(member.name);
      if (names.length === MAX_NAMES) break;
    }
    return nearest(step.member, names);
  }

  #once(key: string, search: () => readonly string[]): readonly string[] {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size === MAX_SEARCHES) return [];
    const found = orNothing(search);
    this.#known.set(key, found);
    return found;
  }
}

/** The first step of a path that leads nowhere; null if there is none, or for another reason. */
function failingStep(spec: Spec, rootId: TypeId, steps: readonly PathStep[]): number | null {
  try {
    resolveMemberOf(spec, rootId, steps, { suggest: false });
    return null;
  } catch (error) {
    if (error instanceof MemberPathError) return error.problem === 'NO_SUCH_MEMBER' ? error.step : null;
    throw error;
  }
}

function valuesNear(spec: Spec, typeId: TypeId, text: string): readonly string[] {
  const type = spec.typeById(resolveId(spec, typeId));
  if (type.kind !== 'ENUM' && type.kind !== 'ENUM64') return [];
  const names = type.values.slice(0, MAX_NAMES).map(({ name }) => name);
  return nearest(essentialName(text.slice(text.indexOf('::') + 2)), names);
}

/** Names with the same words and some more, or fewer: kernels rename `i_ctime` to `__i_ctime` and `i_ctime_sec`. Then misspelt ones. */
function nearest(name: string, names: readonly string[]): readonly string[] {
  const words = wordsOf(name);
  const akin = names.filter((other) => {
    const own = wordsOf(other);
    const [shorter, longer] = own.length < words.length ? [own, words] : [words, own];
    return other !== name && shorter.length >= MIN_WORDS + 2 && longer.includes(shorter);
  });
  const difference = (other: string): number => Math.abs(other.length - name.length);
  const byDifference = akin.toSorted((a, b) => difference(a) - difference(b));
  return [...new Set([...byDifference, ...nearNames(name, names)])].slice(0, MAX_NEAR);
}

/** A name between single underscores. */
function wordsOf(name: string): string {
  let [from, to] = [0, name.length];
  while (from < to && name[from] === '_') from++;
  while (from < to && name[to - 1] === '_') to--;
  return `_${name.slice(from, to)}_`;
}

/** The names of types that only differ in the underscores before them, as kernels rename functions. */
function sameButForUnderscores(spec: Spec, name: string, kinds: readonly number[]): string[] {
  const plain = name.replace(/^_+/, '');
  return ['', '_', '__', '___']
    .map((prefix) => prefix + plain)
    .filter((other) => other !== name && spec.idsByName(other).some((id) => kinds.includes(spec.kindOf(id))));
}

/** Names are only hints: types that are invalid have none. */
function orNothing(search: () => readonly string[]): readonly string[] {
  try {
    return search();
  } catch (error) {
    if (error instanceof BtfReadError) return [];
    throw error;
  }
}
