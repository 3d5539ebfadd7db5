import { type Spec, type TypeId, TypeReader } from '@btfd/btf';
import type { WorkBudget } from '../work-budget.js';

/** The cost of reading a type, and of each type that it refers to, in steps. */
const STEPS_PER_TYPE = 20;
const STEPS_PER_CHILD = 5;

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
  const types = new TypeReader(spec);
  const seen = new Uint8Array(spec.endTypeId);
  const open: TypeId[] = [];
  let count = 0;
  let steps = 0;
  const visit = (id: TypeId): void => {
    steps += STEPS_PER_CHILD;
    if (id === 0 || seen[id] === 1) return;
    seen[id] = 1;
    count += 1;
    open.push(id);
  };
  for (const id of roots) visit(id);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    types.open(id);
    steps = STEPS_PER_TYPE;
    types.visitIds(visit);
    if (budget.spend(steps, 'types')) yield null;
  }
  const ids = new Uint32Array(count);
  let at = 0;
  for (let id = 1; id < seen.length; id++) if (seen[id] === 1) ids[at++] = id;
  return ids;
}
