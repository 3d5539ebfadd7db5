import { elementsNamed } from '../core/compatible-fields.js';
import { type CoreTypes, isEnum } from '../core/core-types.js';
import type { CoreWork } from '../core/refusal.js';
import type { LoaderRules } from '../core/rules/loader-rules.js';
import { isComposite } from '../kind-words.js';
import { standsForOther } from '../query/resolve.js';
import { Kind, type TypeId } from '../types.js';
import type { KeptTypes } from './kept-types.js';

/** The kinds that relocations look at. Others, such as functions, match nothing. */
const RELOCATABLE: ReadonlySet<number> = /* @__PURE__ */ new Set([
  Kind.INT,
  Kind.PTR,
  Kind.ARRAY,
  Kind.STRUCT,
  Kind.UNION,
  Kind.ENUM,
  Kind.FWD,
  Kind.FUNC_PROTO,
  Kind.FLOAT,
  Kind.ENUM64,
]);

/** Keeper keeps what the relocations of one object look at in the types of a kernel. */
export class Keeper {
  readonly #kept: KeptTypes;
  readonly #types: CoreTypes;
  readonly #work: CoreWork;

  constructor(kept: KeptTypes, types: CoreTypes, work: CoreWork) {
    this.#kept = kept;
    this.#types = types;
    this.#work = work;
  }

  /** root keeps a type that has the name that a relocation asks for, with the kinds of the types that it leads to. */
  root(id: TypeId): void {
    if (standsForOther(this.#types.kindOf(id))) this.#kept.add(id);
    this.#type(id, true);
  }

  /** path keeps the members on the way to a field. */
  path(rootId: TypeId, indexes: readonly number[]): void {
    const types = this.#types;
    this.root(rootId);
    let id = types.skip(rootId);
    for (const index of indexes.slice(1)) {
      if (isComposite(types.kindOf(id))) {
        this.#member(id, index);
        id = types.skip(types.memberOf(id, index).typeId);
      } else {
        id = types.skip(types.arrayOf(id).typeId);
      }
    }
  }

  /** value keeps a value of an enum. */
  value(rootId: TypeId, index: number): void {
    this.root(rootId);
    this.#kept.add(this.#types.skip(rootId)).elements.add(index);
  }

  /**
   * compared keeps what decides whether a type matches a local one in the sense of `TYPE_MATCHES`: members and values with
   * the local names, and their types again. It keeps as much if the type does not match, so that the rest does not match
   * either.
   */
  compared(local: CoreTypes, localId: TypeId, rootId: TypeId, rules: LoaderRules): void {
    const types = this.#types;
    this.root(rootId);
    const seen = new Set<string>();
    const pairs: Pair[] = [];
    const add = (localType: TypeId, type: TypeId, isBehind: boolean): void => {
      const pair = { from: local.skip(localType), to: types.skip(type), isBehind };
      const key = `${pair.from} ${pair.to} ${isBehind}`;
      if (seen.has(key)) return;
      seen.add(key);
      pairs.push(pair);
    };
    add(localId, rootId, false);
    for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
      const { from, to, isBehind } = pair;
      const kind = local.kindOf(from);
      const targetKind = types.kindOf(to);
      this.#type(to, false);
      if (kind === Kind.PTR && targetKind === Kind.PTR) {
        this.#kept.add(to).hasReferent = true;
        add(local.thirdOf(from), types.thirdOf(to), true);
      } else if (kind === Kind.ARRAY && targetKind === Kind.ARRAY) {
        add(local.arrayOf(from).typeId, types.arrayOf(to).typeId, isBehind);
      } else if (kind === Kind.FUNC_PROTO && targetKind === Kind.FUNC_PROTO) {
        const count = Math.min(local.countOf(from), types.countOf(to));
        for (let i = 0; i < count; i++)
          add(local.parameterTypeOf(from, i), types.parameterTypeOf(to, i), isBehind);
        add(local.thirdOf(from), types.thirdOf(to), isBehind);
      } else if (isEnum(kind) && isEnum(targetKind)) {
        this.#elements(local, from, to, rules, () => undefined);
      } else if (isComposite(kind) && isComposite(targetKind)) {
        // libbpf compares only the names of structs that pointers lead to.
        if (isBehind && rules.loader === 'libbpf') continue;
        this.#elements(local, from, to, rules, (own, theirs) => {
          this.#member(to, theirs);
          add(local.memberOf(from, own).typeId, types.memberOf(to, theirs).typeId, isBehind);
        });
      }
    }
  }

  /** Keeps the elements of a type with the names of those of a local one. */
  #elements(
    local: CoreTypes,
    from: TypeId,
    to: TypeId,
    rules: LoaderRules,
    visit: (own: number, theirs: number) => void,
  ): void {
    const types = this.#types;
    const { elements } = this.#kept.add(to);
    const [count, targetCount] = [local.countOf(from), types.countOf(to)];
    for (let own = 0; own < count; own++) {
      this.#work.step(targetCount);
      for (const theirs of elementsNamed(types, to, local.elementName(from, own), rules)) {
        elements.add(theirs);
        visit(own, theirs);
      }
    }
    // A type with fewer elements than the local one does not match.
    const least = Math.min(count, targetCount);
    for (let extra = 0; elements.size < least; extra++) {
      elements.add(extra);
      if (isComposite(types.kindOf(to))) this.#member(to, extra);
    }
  }

  #member(id: TypeId, index: number): void {
    const types = this.#types;
    this.#kept.add(id).elements.add(index);
    const { typeId } = types.memberOf(id, index);
    const member = types.skip(typeId);
    this.#type(member, false);
    const last = types.countOf(id) - 1;
    // An array without elements is flexible if it is the last member, so it must not become the last one.
    const isEmpty = types.kindOf(member) === Kind.ARRAY && types.arrayOf(member).nelems === 0;
    if (isEmpty && index < last) this.#member(id, last);
  }

  /** Keeps a type without members and values, and the types that its size and kind depend on. */
  #type(start: TypeId, followPointers: boolean): void {
    const types = this.#types;
    // A set iterates over what is added meanwhile.
    const ids = new Set([types.skip(start)]);
    for (const id of ids) {
      this.#work.step();
      const kind = types.kindOf(id);
      if (!RELOCATABLE.has(kind)) continue;
      const kept = this.#kept.add(id);
      if (kind === Kind.PTR && followPointers) {
        kept.hasReferent = true;
        ids.add(types.skip(types.thirdOf(id)));
      } else if (kind === Kind.ARRAY) {
        const { typeId, indexTypeId } = types.arrayOf(id);
        ids.add(types.skip(typeId)).add(types.skip(indexTypeId));
      } else if (kind === Kind.FUNC_PROTO) {
        ids.add(types.skip(types.thirdOf(id)));
        for (let i = 0; i < types.countOf(id); i++) ids.add(types.skip(types.parameterTypeOf(id, i)));
      }
    }
  }
}

interface Pair {
  readonly from: TypeId;
  readonly to: TypeId;
  /** Whether a pointer leads to the types. */
  readonly isBehind: boolean;
}
