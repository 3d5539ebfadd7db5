import { isComposite } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { type CoreTypes, isEnum, isSameKind } from './core-types.js';
import { type Nested, runNested } from './nested.js';
import { type CoreWork, refusal } from './refusal.js';
import type { LoaderRules } from './rules/loader-rules.js';

/** References in a row, and prototypes within each other, that libbpf follows. */
const MAX_LEVELS = 32;

/** TypePair is a local and a target type that are compared. */
export interface TypePair {
  readonly local: CoreTypes;
  readonly target: CoreTypes;
  readonly rules: LoaderRules;
  readonly work: CoreWork;
}

/**
 * typesCompatible reports whether a target type may stand for a local one of the same name: by kind alone, but through
 * pointers, arrays and prototypes. The relocations for existence, size and id of a type ask this.
 *
 * @throws a refusal if the loader gives up, because types are nested too deeply or of a kind that it does not compare.
 */
export function typesCompatible(pair: TypePair, localId: TypeId, targetId: TypeId): boolean {
  return pair.rules.loader === 'libbpf' &&
    !isSameKind(pair.local.kindOf(localId), pair.target.kindOf(targetId))
    ? false
    : runNested(new Comparison(pair).compare(localId, targetId, MAX_LEVELS));
}

class Comparison {
  readonly #pair: TypePair;
  /** The pairs that cilium/ebpf compared or is comparing, which count as compatible. */
  readonly #visited = new Set<string>();
  /** The level at which libbpf's comparison of a pair ended, by pair, and its result. */
  readonly #known = new Map<string, { readonly level: number; readonly result: boolean }>();

  constructor(pair: TypePair) {
    this.#pair = pair;
  }

  *compare(localId: TypeId, targetId: TypeId, level: number): Nested {
    const { local, target, rules, work } = this.#pair;
    let [from, to] = [localId, targetId];
    for (let depth = 0; ; depth++) {
      if (rules.loader === 'libbpf' && depth === MAX_LEVELS) throw tooDeep(localId);
      work.step();
      from = local.skip(from);
      to = target.skip(to);
      const kind = local.kindOf(from);
      if (!isSameKind(kind, target.kindOf(to))) return false;
      if (rules.loader === 'cilium' && this.#wasVisited(from, to)) return true;
      switch (kind) {
        case Kind.PTR:
          [from, to] = [local.thirdOf(from), target.thirdOf(to)];
          continue;
        case Kind.ARRAY: {
          const [a, b] = [local.arrayOf(from), target.arrayOf(to)];
          if (rules.loader === 'cilium' && !(yield this.compare(a.indexTypeId, b.indexTypeId, level)))
            return false;
          [from, to] = [a.typeId, b.typeId];
          continue;
        }
        case Kind.FUNC_PROTO:
          if (!(yield this.#parameters(from, to, level))) return false;
          [from, to] = [local.thirdOf(from), target.thirdOf(to)];
          continue;
        case Kind.INT:
          return local.intOf(from).bitOffset === 0 && target.intOf(to).bitOffset === 0;
        default:
          return this.#isKindEnough(kind, from);
      }
    }
  }

  *#parameters(from: TypeId, to: TypeId, level: number): Nested {
    const { local, target, rules } = this.#pair;
    const count = local.countOf(from);
    if (count !== target.countOf(to)) return false;
    for (let i = 0; i < count; i++) {
      if (rules.loader === 'libbpf' && level <= 0) throw tooDeep(from);
      const [own, theirs] = [local.parameterTypeOf(from, i), target.parameterTypeOf(to, i)];
      if (!(yield this.#remembered(own, theirs, level - 1))) return false;
    }
    return true;
  }

  /** A result holds for every level that is not lower than the one at which it was found. */
  *#remembered(from: TypeId, to: TypeId, level: number): Nested {
    const key = `${from} ${to}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.level <= level) return known.result;
    const result = yield this.compare(from, to, level);
    this.#known.set(key, { level, result });
    return result;
  }

  #wasVisited(from: TypeId, to: TypeId): boolean {
    const key = `${from} ${to}`;
    if (this.#visited.has(key)) return true;
    this.#visited.add(key);
    return false;
  }

  #isKindEnough(kind: number, id: TypeId): boolean {
    if (isComposite(kind) || isEnum(kind) || kind === Kind.FWD || kind === Kind.VOID) return true;
    if (this.#pair.rules.loader === 'libbpf') return false;
    throw refusal(`types of the kind of type id ${id} cannot be compared`);
  }
}

function tooDeep(id: TypeId): ReturnType<typeof refusal> {
  return refusal(`type id ${id} has more than ${MAX_LEVELS} types within each other`);
}
