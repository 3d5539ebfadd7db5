import { visitIds } from '../kind-words.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import type { ImportSource } from './import-source.js';
import type { TypeTable } from './type-table.js';

/** CopyOptions are the options of {@link importCopies}. */
export interface CopyOptions {
  /** Whether the DECL_TAGs of added types are added too. */
  readonly declTags: boolean;
  /** Whether the given types come first, in the given order. Otherwise all types come in the order of their ids. */
  readonly rootsFirst: boolean;
}

/**
 * importCopies adds types with everything that they refer to, each as it is. Types that the source added before keep
 * their ids.
 */
export function importCopies(
  source: ImportSource,
  table: TypeTable,
  roots: Iterable<TypeId>,
  { declTags, rootsFirst }: CopyOptions,
): void {
  const { ids, reader } = source;
  const found: TypeId[] = [];
  // Until all types to add are known, `ids` has their indices in `found` as negative numbers.
  const find = (id: TypeId): void => {
    if (id === 0 || ids[id] !== 0) return;
    ids[id] = -1;
    found.push(id);
  };
  for (const id of roots) find(id);
  if (isWhole(source.spec, found) && (!rootsFirst || isAscending(found))) {
    importAll(source, table);
    return;
  }
  const asked = rootsFirst ? found.length : 0;
  let length = 0;
  // Everything is read before anything is added, so a read failure changes nothing.
  try {
    for (let next = 0; next < found.length; next++) {
      const id = found[next] ?? 0;
      length += reader.read(id);
      const { words, idPlaces, idCount } = reader;
      for (let i = 0; i < idCount; i++) find(words[idPlaces[i] ?? 0] ?? 0);
      if (declTags) source.tagsOf(id)?.forEach(find);
    }
  } catch (error) {
    for (const id of found) ids[id] = 0;
    throw error;
  }
  const order = Int32Array.from(found);
  order.subarray(asked).sort();
  table.makeRoom(order.length, length);
  for (const id of order) ids[id] = table.reserve();
  for (const id of order) {
    reader.read(id);
    const { words, idPlaces, idCount } = reader;
    for (let i = 0; i < idCount; i++) {
      const at = idPlaces[i] ?? 0;
      words[at] = ids[words[at] ?? 0] ?? 0;
    }
    table.define(ids[id] ?? 0, words, 0);
  }
}

/** Whether types are all of a spec without a base. */
function isWhole(spec: Spec, ids: readonly TypeId[]): boolean {
  return spec.base === null && ids.length === spec.typeCount;
}

function isAscending(ids: readonly TypeId[]): boolean {
  return ids.every((id, index) => id === index + 1);
}

/** As {@link importCopies} of all types of a spec in their order: each id grows by the same number. */
function importAll({ ids, reader }: ImportSource, table: TypeTable): void {
  ids.fill(0);
  const { words, offsets: offsetsById } = reader.readAll();
  const offsets = offsetsById.subarray(1);
  const added = table.endTypeId - 1;
  if (added > 0) addToIds(words, offsets, added);
  table.appendAll(words, offsets);
  for (let id = 1; id < ids.length; id++) ids[id] = id + added;
}

/** Adds a number to all ids in types, except void. */
function addToIds(words: Int32Array, offsets: Int32Array, added: number): void {
  const add = (at: number): void => {
    const id = words[at] ?? 0;
    if (id !== 0) words[at] = id + added;
  };
  for (const start of offsets) visitIds(words, start, add);
}
