import { isComposite } from '../kind-words.js';
import type { TypeId } from '../types.js';
import { MAX_INDEXES } from './access.js';
import { type CoreTypes, nameBytes } from './core-types.js';
import { type CoreWork, refusal } from './refusal.js';

/** FoundMember is a member that was found in a struct or union, or in an anonymous one within it. */
export interface FoundMember {
  /** The struct or union that declares it. */
  readonly typeId: TypeId;
  readonly index: number;
  /** The indexes of the anonymous members that lead to it, and its own. */
  readonly indexes: readonly number[];
  /** Bits from the start of the struct or union that was searched. */
  readonly bitOffset: number;
}

/** MemberSearch is how members are searched. */
export interface MemberSearch {
  readonly order: 'DEPTH_FIRST' | 'BREADTH_FIRST';
  /** The number of indexes that lead to the struct or union. */
  readonly depth: number;
  readonly work: CoreWork;
}

/** The number of structs and unions that cilium/ebpf searches for a member. */
const MAX_VISITED = 32;

/**
 * findMember finds a member by name, also in anonymous structs and unions.
 *
 * @returns null if there is none.
 * @throws a refusal if anonymous members nest too deeply for the loader.
 */
export function findMember(
  types: CoreTypes,
  id: TypeId,
  name: string,
  search: MemberSearch,
): FoundMember | null {
  return search.order === 'DEPTH_FIRST'
    ? new DepthFirst(types, name, search.work).find(id, { indexes: [], bitOffset: 0 }, search.depth)
    : breadthFirst(types, id, name, search.work);
}

interface Place {
  readonly indexes: readonly number[];
  readonly bitOffset: number;
}

class DepthFirst {
  readonly #types: CoreTypes;
  readonly #name: Uint8Array;
  readonly #work: CoreWork;
  /** The depth at which each type was searched in vain. Hostile BTF leads to the same types again and again. */
  readonly #searched = new Map<TypeId, number>();

  constructor(types: CoreTypes, name: string, work: CoreWork) {
    this.#types = types;
    this.#name = nameBytes(name);
    this.#work = work;
  }

  find(id: TypeId, place: Place, depth: number): FoundMember | null {
    const types = this.#types;
    const count = types.countOf(id);
    if (count > 0 && depth === MAX_INDEXES) throw refusal(`the target has more than ${MAX_INDEXES} indexes`);
    if ((this.#searched.get(id) ?? -1) >= depth) return null;
    this.#work.step(count);
    const next = (from: number): number => types.nextNamed(id, from, this.#name);
    for (let index = next(0); index >= 0; index = next(index + 1)) {
      if (!types.isUnnamed(id, index)) return foundAt(types, id, index, place);
      const inner = types.skip(types.memberOf(id, index).typeId);
      if (!isComposite(types.kindOf(inner))) continue;
      const found = this.find(inner, within(types, id, index, place), depth + 1);
      if (found !== null) return found;
    }
    this.#searched.set(id, depth);
    return null;
  }
}

/** Modelled on `coreFindMember` of cilium/ebpf. */
function breadthFirst(types: CoreTypes, root: TypeId, text: string, work: CoreWork): FoundMember | null {
  const name = nameBytes(text);
  const queue: { readonly id: TypeId; readonly place: Place }[] = [
    { id: root, place: { indexes: [], bitOffset: 0 } },
  ];
  const visited = new Set<string>();
  for (const { id, place } of queue) {
    const key = `${id} ${place.bitOffset}`;
    if (visited.has(key)) continue;
    if (visited.size >= MAX_VISITED) throw refusal('the target has too many anonymous members');
    visited.add(key);
    work.step(types.countOf(id));
    const next = (from: number): number => types.nextNamed(id, from, name);
    for (let index = next(0); index >= 0; index = next(index + 1)) {
      if (!types.isUnnamed(id, index)) return foundAt(types, id, index, place);
      const inner = types.skip(types.memberOf(id, index).typeId);
      if (!isComposite(types.kindOf(inner))) {
        throw refusal('the target has an anonymous member that is neither a struct nor a union');
      }
      queue.push({ id: inner, place: within(types, id, index, place) });
    }
  }
  return null;
}

function foundAt(types: CoreTypes, typeId: TypeId, index: number, place: Place): FoundMember {
  return { typeId, index, ...within(types, typeId, index, place) };
}

function within(types: CoreTypes, id: TypeId, index: number, { indexes, bitOffset }: Place): Place {
  return {
    indexes: [...indexes, index],
    bitOffset: (bitOffset + types.memberOf(id, index).bitOffset) >>> 0,
  };
}
