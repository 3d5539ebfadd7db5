import { setImmediate } from 'node:timers/promises';
import { children, type Spec, type TypeId } from '@btfd/btf';

/** Types decoded between two turns of the event loop: a few milliseconds. */
const TYPES_PER_TURN = 4_000;

/** closureOf lists, in order, types and everything that they refer to, in the spec's bases too; without void. */
export async function closureOf(spec: Spec, roots: Iterable<TypeId>, signal: AbortSignal): Promise<TypeId[]> {
  const seen = new Uint8Array(spec.endTypeId);
  const open: TypeId[] = [];
  const visit = (id: TypeId): void => {
    if (id === 0 || seen[id] === 1) return;
    seen[id] = 1;
    open.push(id);
  };
  for (const id of roots) visit(id);
  let decoded = 0;
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const child of children(spec.typeById(id))) visit(child);
    decoded += 1;
    if (decoded % TYPES_PER_TURN === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
  }
  const ids: TypeId[] = [];
  for (const [id, mark] of seen.entries()) if (mark === 1) ids.push(id);
  return ids;
}
