import { children, type Spec, type TypeId } from '@btfd/btf';

/** Types decoded in a step: a few milliseconds. */
const TYPES_PER_STEP = 4_000;

/**
 * closureOf returns the ids of types and of everything that they refer to, in ascending order and without void. It
 * includes types of the base. The generator yields when other jobs may have a turn.
 */
export function* closureOf(spec: Spec, roots: Iterable<TypeId>): Generator<null, Uint32Array, void> {
  const seen = new Uint8Array(spec.endTypeId);
  const open: TypeId[] = [];
  let count = 0;
  const visit = (id: TypeId): void => {
    if (id === 0 || seen[id] === 1) return;
    seen[id] = 1;
    count += 1;
    open.push(id);
  };
  for (const id of roots) visit(id);
  let decoded = 0;
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const child of children(spec.typeById(id))) visit(child);
    decoded += 1;
    if (decoded % TYPES_PER_STEP === 0) yield null;
  }
  const ids = new Uint32Array(count);
  let at = 0;
  for (let id = 1; id < seen.length; id++) if (seen[id] === 1) ids[at++] = id;
  return ids;
}
