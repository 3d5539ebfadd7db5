import type { TypeId } from '../types.js';
import { components } from './components.js';
import type { CircleIndex } from './circle-index.js';
import type { ImportSource } from './import-source.js';
import { visitIds } from './kind-words.js';
import type { TypeTable } from './type-table.js';
import type { WordIndex } from './word-index.js';

/** EqualTypes is where equal types of what is built are found. */
export interface EqualTypes {
  readonly table: TypeTable;
  readonly single: WordIndex;
  readonly circles: CircleIndex;
}

/**
 * importEqual adds types with all that they refer to, except where an equal type is there: one of the same
 * words, whose references are to equal types. What a type refers to gets its id before it, circles aside.
 *
 * @param withTags whether DECL_TAGs of added types are added too.
 */
export function importEqual(
  source: ImportSource,
  equal: EqualTypes,
  roots: readonly TypeId[],
  withTags: boolean,
): void {
  const { ids } = source;
  const graph = { references: (id: TypeId) => unadded(source, id) };
  let from = roots.filter((id) => id !== 0 && ids[id] === 0);
  while (from.length > 0) {
    const tags: TypeId[] = [];
    for (const group of components(graph, from)) {
      addGroup(source, equal, group);
      if (withTags) for (const id of group) tags.push(...source.tagsOf(id));
    }
    from = tags.filter((id) => ids[id] === 0);
  }
}

function unadded({ reader, ids }: ImportSource, id: TypeId): TypeId[] {
  const references: TypeId[] = [];
  reader.visitReferences(id, (target) => {
    if (target !== 0 && ids[target] === 0) references.push(target);
  });
  return references;
}

function addGroup(source: ImportSource, equal: EqualTypes, group: readonly TypeId[]): void {
  const [id = 0] = group;
  const { ids, reader } = source;
  if (group.length > 1 || unadded(source, id).includes(id)) {
    equal.circles.add(source, group);
    return;
  }
  reader.read(id);
  const { words } = reader;
  visitIds(words, 0, (at) => {
    words[at] = ids[words[at] ?? 0] ?? 0;
  });
  ids[id] = equal.single.find(words, 0);
  if (ids[id] !== 0) return;
  ids[id] = equal.table.append(words, 0);
  equal.single.add(ids[id] ?? 0);
}
