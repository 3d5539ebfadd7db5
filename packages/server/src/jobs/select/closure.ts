import { children, type Spec, type TypeId } from '@btfd/btf';
import type { WorkBudget } from '../work-budget.js';

/** The cost of decoding a type, and of each type that it refers to, in steps. */
const STEPS_PER_TYPE = 100;
const STEPS_PER_CHILD = 10;

/**
 * closureOf returns the ids of types and of everything that they refer to, in ascending order and without void. It
 * includes types of the base. The generator yields when other jobs may have a turn.
 *
 * @throws ServiceError WORK_TOO_LARGE if the job has taken too many steps.
 */
export function* closureOf(
  spec: Spec,
  roots: Iterable<TypeId>,
  budget: WorkBudget,
): Generator<null, Uint32Array, void> {
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
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    let steps = STEPS_PER_TYPE;
    for (const child of children(spec.typeById(id))) {
      visit(child);
      steps += STEPS_PER_CHILD;
    }
    if (budget.spend(steps, 'types')) yield null;
  }
  const ids = new Uint32Array(count);
  let at = 0;
  for (let id = 1; id < seen.length; id++) if (seen[id] === 1) ids[at++] = id;
  return ids;
}
