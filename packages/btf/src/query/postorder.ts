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
 * postorder lists types and all that they refer to, directly or not, each once and void never: what a type
 * refers to comes before it, except where types refer to each other in a circle, as structs do through
 * pointers. The circle is then cut at the reference that leads back to a type under way.
 *
 * The same ids in another order give the same set: the closure of the types. It takes one bit of memory
 * for each type of the spec and its bases, and each type is decoded once; nothing is done recursively.
 *
 * @throws BtfFormatError `NOT_FOUND` when one of `ids` does not exist; `MALFORMED` for a reference to no
 * type and where a type cannot be decoded.
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
