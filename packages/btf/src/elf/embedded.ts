import { isComposite, kindTest } from '../kind-words.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';

/**
 * embeddedInSplit finds the structs and unions of the base that a struct or union of split BTF contains as a member,
 * directly or in an array, but not through a pointer. Their size is part of the size of the split type.
 */
export function embeddedInSplit(split: Spec): Set<TypeId> {
  const embedded = new Set<TypeId>();
  // Each type is followed once, so shared and circular chains cost no more than their length.
  const followed = new Set<TypeId>();
  for (const id of split.typeIds()) {
    const type = isComposite(split.kindOf(id)) ? split.typeById(id) : null;
    if (type === null || !('members' in type)) continue;
    for (const { typeId } of type.members) {
      const composite = follow(split, typeId, followed);
      if (composite !== null && composite < split.firstTypeId) embedded.add(composite);
    }
  }
  return embedded;
}

/** The struct or union that is the type of a member; null if it is neither, or was found before. */
function follow(split: Spec, start: TypeId, followed: Set<TypeId>): TypeId | null {
  let id = start;
  while (id !== 0 && id < split.endTypeId && !followed.has(id)) {
    followed.add(id);
    if (isComposite(split.kindOf(id))) return id;
    if (!isPassed(split.kindOf(id))) return null;
    const type = split.typeById(id);
    if (!('typeId' in type)) return null;
    id = type.typeId;
  }
  return null;
}

/** Whether a struct or union is part of another one through types of a kind. */
const isPassed = kindTest(({ alias, size }) => alias || size === 'ELEMENTS');
