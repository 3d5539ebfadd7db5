import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { follow } from './follow.js';
import { children } from './references.js';

interface Frame {
  readonly id: TypeId;
  readonly children: readonly TypeId[];
  next: number;
}

/**
 * postorder iterates over types and all types that they refer to, directly or not. Each type comes once, without void.
 * A type comes after the types that it refers to, except where types refer to each other in a cycle, as structs do
 * through pointers. Such a cycle is cut at the reference that leads back to a type already entered.
 *
 * The same ids in another order give the same set: the closure of the types. It takes one bit of memory for each type
 * of the spec and its bases, decodes each type once, and does not recurse.
 *
 * @throws BtfLookupError `NOT_FOUND` if one of `ids` does not exist.
 * @throws BtfFormatError `MALFORMED` for a reference to a type that does not exist, and for a name outside the string
 * section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the names of a type are too long.
 */
export function* postorder(spec: Spec, ids: Iterable<TypeId>): Generator<TypeId, void, undefined> {
  const seen = new Uint8Array((spec.endTypeId >>> 3) + 1);
  const enter = (id: TypeId): boolean => {
    const bit = 1 << (id & 7);
    const byte = seen[id >>> 3] ?? 0;
    seen[id >>> 3] = byte | bit;
    return id !== 0 && (byte & bit) === 0;
  };
  for (const root of ids) {
    const type = spec.typeById(root);
    if (!enter(root)) continue;
    const stack: Frame[] = [{ id: root, children: children(type), next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = top.children[top.next++];
      if (child === undefined) {
        stack.pop();
        yield top.id;
        continue;
      }
      if (child < spec.endTypeId && !enter(child)) continue;
      stack.push({ id: child, children: children(follow(spec, top.id, child)), next: 0 });
    }
  }
}
