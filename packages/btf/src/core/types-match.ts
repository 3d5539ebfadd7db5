import { isComposite } from '../kind-words.js';
import { IntEncoding, Kind, type TypeId } from '../types.js';
import { elementsNamed, essentiallyEqual } from './compatible-fields.js';
import { type CoreTypes, isEnum, nameBytes } from './core-types.js';
import { type Nested, runNested } from './nested.js';
import { refusal } from './refusal.js';
import type { TypePair } from './types-compatible.js';

/** References in a row, and structs within each other, that libbpf follows. */
const MAX_LEVELS = 32;

/**
 * typesMatch reports whether a target type has everything that a local one has: members and values by name, their types
 * again, sizes of integers and enums. The relocation `TYPE_MATCHES` asks this.
 *
 * @throws a refusal if the loader gives up, because types are nested too deeply or of a kind that it does not compare.
 */
export function typesMatch(pair: TypePair, localId: TypeId, targetId: TypeId): boolean {
  return runNested(new Match(pair).match(localId, targetId, false, MAX_LEVELS));
}

class Match {
  readonly #pair: TypePair;
  /** The pairs that cilium/ebpf compared or is comparing, which count as matching. */
  readonly #visited = new Set<string>();
  /** The level at which libbpf's comparison of a pair ended, by pair and whether a pointer leads to it. */
  readonly #known = new Map<string, { readonly level: number; readonly result: boolean }>();

  constructor(pair: TypePair) {
    this.#pair = pair;
  }

  *match(localId: TypeId, targetId: TypeId, isBehindPointer: boolean, level: number): Nested {
    const { local, target, rules, work } = this.#pair;
    const isLibbpf = rules.loader === 'libbpf';
    if (isLibbpf && level <= 0) throw tooDeep(localId);
    let behind = isBehindPointer;
    let [from, to] = [localId, targetId];
    for (let depth = 0; ; depth++) {
      if (isLibbpf && depth === MAX_LEVELS) throw tooDeep(localId);
      work.step();
      from = local.skip(from);
      to = target.skip(to);
      const [a, b] = [local.nameOf(from), target.nameOf(to)];
      if (!essentiallyEqual(a, b, rules, rules.anonymousMatchesNamed)) return false;
      const kind = local.kindOf(from);
      const targetKind = target.kindOf(to);
      if (!isLibbpf && this.#wasVisited(from, to)) return true;
      if (kind === Kind.FWD || isComposite(kind)) {
        if (isLibbpf && behind)
          return kindsMatchBehind(kind, local.flagOf(from), targetKind, target.flagOf(to));
        if (kind !== targetKind) return false;
        return kind === Kind.FWD
          ? local.flagOf(from) === target.flagOf(to)
          : yield this.#members(from, to, behind, level);
      }
      if (isEnum(kind)) return isEnum(targetKind) && this.#values(from, to);
      if (kind !== targetKind) return false;
      switch (kind) {
        case Kind.VOID:
          return true;
        case Kind.INT:
          return this.#integers(from, to);
        case Kind.PTR:
          [from, to] = [local.thirdOf(from), target.thirdOf(to)];
          if (!isLibbpf && this.#isDeclaration(from, to)) return true;
          behind = true;
          continue;
        case Kind.ARRAY: {
          const [own, theirs] = [local.arrayOf(from), target.arrayOf(to)];
          if (own.nelems !== theirs.nelems) return false;
          [from, to] = [own.typeId, theirs.typeId];
          continue;
        }
        case Kind.FUNC_PROTO:
          if (!(yield this.#parameters(from, to, behind, level))) return false;
          [from, to] = [local.thirdOf(from), target.thirdOf(to)];
          continue;
        default:
          if (isLibbpf) return false;
          throw refusal(`types of the kind of type id ${from} cannot be compared`);
      }
    }
  }

  *#members(from: TypeId, to: TypeId, behind: boolean, level: number): Nested {
    const { local, target, work } = this.#pair;
    const [count, targetCount] = [local.countOf(from), target.countOf(to)];
    if (count > targetCount) return false;
    for (let i = 0; i < count; i++) {
      work.step(targetCount);
      const own = local.memberOf(from, i).typeId;
      let matches = false;
      for (const at of this.#membersNamed(to, local.elementName(from, i))) {
        matches = yield this.#remembered(own, target.memberOf(to, at).typeId, behind, level - 1);
        if (matches) break;
      }
      if (!matches) return false;
    }
    return true;
  }

  /** The members of a target type that may match one with a name. */
  #membersNamed(id: TypeId, name: string): Iterable<number> {
    const { target, rules } = this.#pair;
    return rules.loader === 'libbpf' ? elementsNamed(target, id, name, rules) : lastNamed(target, id, name);
  }

  #values(from: TypeId, to: TypeId): boolean {
    const { local, target, rules, work } = this.#pair;
    if (local.thirdOf(from) !== target.thirdOf(to)) return false;
    const [count, targetCount] = [local.countOf(from), target.countOf(to)];
    if (count > targetCount) return false;
    for (let i = 0; i < count; i++) {
      work.step(targetCount);
      const { done } = elementsNamed(target, to, local.elementName(from, i), rules).next();
      if (done === true) return false;
    }
    return true;
  }

  #integers(from: TypeId, to: TypeId): boolean {
    const { local, target, rules } = this.#pair;
    const [own, theirs] = [local.intOf(from).encoding, target.intOf(to).encoding];
    const isSigned = (encoding: number): boolean =>
      rules.loader === 'libbpf' ? (encoding & IntEncoding.SIGNED) !== 0 : encoding === IntEncoding.SIGNED;
    return local.thirdOf(from) === target.thirdOf(to) && isSigned(own) === isSigned(theirs);
  }

  *#parameters(from: TypeId, to: TypeId, behind: boolean, level: number): Nested {
    const { local, target } = this.#pair;
    const count = local.countOf(from);
    if (count !== target.countOf(to)) return false;
    for (let i = 0; i < count; i++) {
      const [own, theirs] = [local.parameterTypeOf(from, i), target.parameterTypeOf(to, i)];
      if (!(yield this.#remembered(own, theirs, behind, level - 1))) return false;
    }
    return true;
  }

  /** Whether one of two types that pointers lead to is a declaration of the other, for cilium/ebpf. */
  #isDeclaration(from: TypeId, to: TypeId): boolean {
    const { local, target } = this.#pair;
    const [own, theirs] = [local.skip(from), target.skip(to)];
    const isOf = (types: CoreTypes, id: TypeId, other: CoreTypes, otherId: TypeId): boolean => {
      if (types.kindOf(id) !== Kind.FWD) return false;
      return other.kindOf(otherId) === (types.flagOf(id) ? Kind.UNION : Kind.STRUCT);
    };
    return isOf(local, own, target, theirs) || isOf(target, theirs, local, own);
  }

  /** A result holds for every level that is not lower than the one at which it was found. */
  *#remembered(from: TypeId, to: TypeId, behind: boolean, level: number): Nested {
    const key = `${from} ${to} ${behind}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.level <= level) return known.result;
    const result = yield this.match(from, to, behind, level);
    this.#known.set(key, { level, result });
    return result;
  }

  #wasVisited(from: TypeId, to: TypeId): boolean {
    const key = `${from} ${to}`;
    if (this.#visited.has(key)) return true;
    this.#visited.add(key);
    return false;
  }
}

/** Whether two kinds match if pointers lead to them. libbpf looks no further: one may also declare the other. */
function kindsMatchBehind(kind: number, flag: boolean, targetKind: number, targetFlag: boolean): boolean {
  if (kind === Kind.FWD) {
    return targetKind === Kind.FWD ? flag === targetFlag : targetKind === (flag ? Kind.UNION : Kind.STRUCT);
  }
  if (kind === targetKind) return true;
  return targetKind === Kind.FWD && targetFlag === (kind === Kind.UNION);
}

/** Of several members of one name, such as anonymous ones, cilium/ebpf compares the last. */
function lastNamed(target: CoreTypes, id: TypeId, text: string): number[] {
  const name = nameBytes(text);
  let last = -1;
  for (let at = target.nextNamed(id, 0, name); at >= 0; at = target.nextNamed(id, at + 1, name)) {
    if (target.isUnnamed(id, at) === (text === '')) last = at;
  }
  return last < 0 ? [] : [last];
}

function tooDeep(id: TypeId): ReturnType<typeof refusal> {
  return refusal(`type id ${id} has more than ${MAX_LEVELS} types within each other`);
}
