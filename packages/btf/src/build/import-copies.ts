import type { TypeId } from '../types.js';
import type { ImportSource } from './import-source.js';
import { visitIds } from './kind-words.js';
import { TypeTable } from './type-table.js';

/** A type that gets its id when all types to add are known. */
const PENDING = -1;

/** CopyOptions are the choices for {@link importCopies}. */
export interface CopyOptions {
  /** Whether DECL_TAGs of added types are added too. */
  readonly declTags: boolean;
  /** Whether the types asked for come first and in their order; otherwise all come in the order of their ids. */
  readonly rootsFirst: boolean;
}

/**
 * importCopies adds types with all that they refer to, each as it is. Types that the source gave before keep
 * the ids they got.
 */
export function importCopies(
  source: ImportSource,
  table: TypeTable,
  roots: readonly TypeId[],
  { declTags, rootsFirst }: CopyOptions,
): void {
  const { ids, reader } = source;
  const found: TypeId[] = [];
  const find = (id: TypeId): void => {
    if (id === 0 || ids[id] !== 0) return;
    ids[id] = PENDING;
    found.push(id);
  };
  for (const id of roots) find(id);
  const asked = rootsFirst ? found.length : 0;
  // All is read before anything is added, so that what cannot be read changes nothing.
  const copies = new TypeTable();
  try {
    for (let next = 0; next < found.length; next++) {
      const id = found[next] ?? 0;
      reader.read(id);
      const { words } = reader;
      visitIds(words, 0, (at) => find(words[at] ?? 0));
      copies.append(words, 0);
      if (declTags) for (const tag of source.tagsOf(id)) find(tag);
    }
  } catch (error) {
    for (const id of found) ids[id] = 0;
    throw error;
  }
  const places = new Map(found.map((id, index) => [id, copies.offset(index + 1)]));
  const order = [...found.slice(0, asked), ...found.slice(asked).toSorted((a, b) => a - b)];
  for (const id of order) ids[id] = table.reserve();
  const { words } = copies;
  for (const id of order) {
    const start = places.get(id) ?? 0;
    visitIds(words, start, (at) => {
      words[at] = ids[words[at] ?? 0] ?? 0;
    });
    table.define(ids[id] ?? 0, words, start);
  }
}
