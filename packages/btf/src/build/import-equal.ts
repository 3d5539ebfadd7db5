import type { TypeId } from '../types.js';
import type { CycleIndex } from './cycle-index.js';
import type { ImportSource } from './import-source.js';
import type { TypeTable } from './type-table.js';
import type { WordIndex } from './word-index.js';

/** EqualTypes finds equal types among those of the builder. */
export interface EqualTypes {
  readonly table: TypeTable;
  readonly single: WordIndex;
  readonly cycles: CycleIndex;
}

/**
 * importEqual adds types with everything that they refer to, except if there is an equal type: one with the same words
 * whose references are to equal types. A type gets its id after those that it refers to, except in cycles.
 *
 * @param withTags whether the DECL_TAGs of added types are added too.
 */
export function importEqual(
  source: ImportSource,
  equal: EqualTypes,
  roots: readonly TypeId[],
  withTags: boolean,
): void {
  const { ids } = source;
  const references = (id: TypeId): TypeId[] => unadded(source, id);
  const isDone = (id: TypeId): boolean => ids[id] !== 0;
  for (let from = roots; from.length > 0;) {
    const tags: TypeId[] = [];
    for (const root of from) {
      if (root === 0 || isDone(root)) continue;
      for (const group of source.components.from(root, references, isDone)) {
        addGroup(source, equal, group);
        // Tags are pushed one at a time: a type may have more tags than a call takes arguments.
        if (withTags) for (const id of group) source.tagsOf(id)?.forEach((tag) => tags.push(tag));
      }
    }
    from = tags;
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
  let isCycle = group.length > 1;
  if (!isCycle) {
    reader.read(id);
    const { words, idPlaces, idCount } = reader;
    for (let i = 0; i < idCount; i++) {
      const at = idPlaces[i] ?? 0;
      isCycle ||= words[at] === id;
      words[at] = ids[words[at] ?? 0] ?? 0;
    }
  }
  if (isCycle) {
    equal.cycles.add(source, group);
    return;
  }
  ids[id] = equal.single.find(reader.words, 0);
  if (ids[id] !== 0) return;
  ids[id] = equal.table.append(reader.words, 0);
  equal.single.add(ids[id] ?? 0);
}
