import { visitIds } from '../kind-words.js';
import type { TypeId } from '../types.js';
import type { ImportSource } from './import-source.js';
import { TypeTable } from './type-table.js';

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
    if (id !== 0 && ids[id] === 0) ids[id] = -found.push(id);
  };
  for (const id of roots) find(id);
  const asked = rootsFirst ? found.length : 0;
  // Everything is read before anything is added, so a read failure changes nothing.
  const copies = new TypeTable();
  try {
    for (let next = 0; next < found.length; next++) {
      const id = found[next] ?? 0;
      reader.read(id);
      const { words } = reader;
      visitIds(words, 0, (at) => find(words[at] ?? 0));
      copies.append(words, 0);
      if (declTags) source.tagsOf(id)?.forEach(find);
    }
  } catch (error) {
    for (const id of found) ids[id] = 0;
    throw error;
  }
  const order = found.slice(0, asked).concat(found.slice(asked).toSorted((a, b) => a - b));
  const places = order.map((id) => copies.offset(-(ids[id] ?? 0)));
  for (const id of order) ids[id] = table.reserve();
  const { words } = copies;
  for (let i = 0; i < order.length; i++) {
    const start = places[i] ?? 0;
    visitIds(words, start, (at) => {
      words[at] = ids[words[at] ?? 0] ?? 0;
    });
    table.define(ids[order[i] ?? 0] ?? 0, words, start);
  }
}
