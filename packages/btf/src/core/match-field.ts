import { isComposite } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { type Accessor, type CorePath, elementOffset, isFlexible, MAX_INDEXES } from './access.js';
import { fieldsCompatible } from './compatible-fields.js';
import { type CoreTypes } from './core-types.js';
import { findMember } from './find-member.js';
import { type CoreWork, refusal } from './refusal.js';
import type { LoaderRules } from './rules/loader-rules.js';

/** Matching is the place that was found in a target type, or the reason why there is none. */
export type Matching = { readonly path: CorePath } | { readonly path: null; readonly reason: string };

/**
 * matchField looks for the member or the element of a local path in a target type: members by name, elements by index.
 *
 * @throws a refusal if the loader gives up.
 * @throws BtfFormatError for types that are invalid, and `LIMIT_EXCEEDED` if the work is spent.
 */
export function matchField(
  local: CorePath,
  types: CoreTypes,
  rootId: TypeId,
  rules: LoaderRules,
  work: CoreWork,
): Matching {
  const walk = new TargetWalk(local, types, rootId, rules, work);
  for (const [i, accessor] of local.accessors.entries()) {
    const reason = walk.step(accessor, i);
    if (reason !== null) return { path: null, reason };
  }
  const { failure } = local;
  if (failure === null) return { path: walk.path() };
  if (failure.isElement && !walk.isAtArray()) return { path: null, reason: 'has no array there' };
  throw failure.error;
}

class TargetWalk {
  readonly #local: CorePath;
  readonly #types: CoreTypes;
  readonly #rules: LoaderRules;
  readonly #work: CoreWork;
  readonly #rootId: TypeId;
  readonly #indexes: number[] = [];
  readonly #accessors: Accessor[] = [];
  #id: TypeId;
  #bitOffset = 0;
  #baseOffset = 0;

  constructor(local: CorePath, types: CoreTypes, rootId: TypeId, rules: LoaderRules, work: CoreWork) {
    this.#local = local;
    this.#types = types;
    this.#rules = rules;
    this.#work = work;
    this.#rootId = rootId;
    this.#id = rootId;
  }

  path(): CorePath {
    return {
      types: this.#types,
      rootId: this.#rootId,
      indexes: this.#indexes,
      accessors: this.#accessors,
      bitOffset: this.#bitOffset,
      baseOffset: this.#baseOffset,
      anonymousId: null,
      failure: null,
    };
  }

  isAtArray(): boolean {
    return this.#types.kindOf(this.#types.skip(this.#id)) === Kind.ARRAY;
  }

  /** Takes a step. Returns the reason why the target does not have it; null if it does. */
  step(accessor: Accessor, position: number): string | null {
    const id = this.#types.skip(this.#id);
    if (accessor.name !== null) return this.#member(id, accessor, accessor.name, position);
    return position === 0 ? this.#root(id, accessor) : this.#element(id, accessor);
  }

  #root(id: TypeId, accessor: Accessor): string | null {
    if (this.#rules.elements === 'WHEN_ACCESSED') {
      if (!this.#isCompatible(accessor.typeId, id)) return 'is of another kind';
    }
    this.#place(id, accessor.index);
    return null;
  }

  #member(id: TypeId, accessor: Accessor, name: string, position: number): string | null {
    const types = this.#types;
    if (!isComposite(types.kindOf(id))) return `has no member ${name}: it is neither a struct nor a union`;
    const found = findMember(types, id, name, {
      order: this.#rules.memberSearch,
      depth: this.#indexes.length,
      work: this.#work,
    });
    if (found === null) return `has no member ${name}`;
    this.#baseOffset = this.#bitOffset;
    this.#bitOffset = (this.#bitOffset + found.bitOffset) >>> 0;
    this.#indexes.push(...found.indexes);
    if (this.#indexes.length > MAX_INDEXES) throw refusal(`the target has more than ${MAX_INDEXES} indexes`);
    this.#accessors.push({ typeId: found.typeId, index: found.index, name });
    const target = types.memberOf(found.typeId, found.index);
    const own = this.#local.types.memberOf(accessor.typeId, accessor.index);
    const isLast = position === this.#local.accessors.length - 1;
    const isBitfield = own.bitfieldSize > 0 || target.bitfieldSize > 0;
    if (this.#rules.elements === 'WHEN_ACCESSED' && isBitfield && !isLast) {
      throw refusal(`the access goes into the bitfield ${name}`);
    }
    this.#id = target.typeId;
    return this.#isCompatible(own.typeId, target.typeId) ? null : `has a member ${name} of another kind`;
  }

  #element(id: TypeId, accessor: Accessor): string | null {
    const types = this.#types;
    if (types.kindOf(id) !== Kind.ARRAY) return 'has no array there';
    const { typeId, nelems } = types.arrayOf(id);
    const flexible = isFlexible(types, this.#accessors.at(-1), nelems);
    if (this.#rules.elements === 'WHEN_ACCESSED' && nelems === 0 && !flexible) {
      throw refusal('the target has an array without elements that is not the last member');
    }
    if (!flexible && accessor.index >= nelems)
      return `has an array of ${nelems} there, without element ${accessor.index}`;
    const element = types.skip(typeId);
    this.#place(element, accessor.index);
    if (this.#rules.elements === 'WITH_ARRAY') return null;
    return this.#isCompatible(accessor.typeId, element) ? null : 'has elements of another kind there';
  }

  #place(id: TypeId, index: number): void {
    if (this.#indexes.length === MAX_INDEXES)
      throw refusal(`the target has more than ${MAX_INDEXES} indexes`);
    this.#indexes.push(index);
    this.#accessors.push({ typeId: id, index, name: null });
    this.#bitOffset = elementOffset(this.#types, this.#bitOffset, id, index, this.#rules);
    this.#id = id;
  }

  #isCompatible(localId: TypeId, targetId: TypeId): boolean {
    return fieldsCompatible(this.#local.types, localId, this.#types, targetId, this.#rules);
  }
}
