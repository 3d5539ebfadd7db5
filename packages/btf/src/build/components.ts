import type { TypeId } from '../types.js';

/** Graph gives the types that a type refers to; those that are of no interest are left out. */
export interface Graph {
  references(id: TypeId): readonly TypeId[];
}

interface Frame {
  readonly id: TypeId;
  readonly references: readonly TypeId[];
  next: number;
}

/**
 * components lists the types that can be reached from some, in groups that refer to each other in circles
 * (Tarjan's strongly connected components), most of them of one type. What a group refers to comes before it.
 */
export function* components(graph: Graph, roots: Iterable<TypeId>): Generator<TypeId[], void, undefined> {
  const numbers = new Map<TypeId, number>();
  const lowest = new Map<TypeId, number>();
  const open: TypeId[] = [];
  const closed = new Set<TypeId>();
  const enter = (id: TypeId): Frame => {
    lowest.set(id, numbers.size);
    numbers.set(id, numbers.size);
    open.push(id);
    return { id, references: graph.references(id), next: 0 };
  };
  const lower = (id: TypeId, to: number): void => {
    lowest.set(id, Math.min(lowest.get(id) ?? to, to));
  };
  for (const root of roots) {
    if (numbers.has(root)) continue;
    const stack = [enter(root)];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { id } = top;
      const child = top.references[top.next++];
      if (child !== undefined) {
        const number = numbers.get(child);
        if (number === undefined) stack.push(enter(child));
        else if (!closed.has(child)) lower(id, number);
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      if (parent !== undefined) lower(parent.id, lowest.get(id) ?? 0);
      if (lowest.get(id) !== numbers.get(id)) continue;
      const group = open.splice(open.lastIndexOf(id));
      for (const member of group) closed.add(member);
      yield group;
    }
  }
}
