import { type Spec, type TypeId, TypeReader } from '@btfd/btf';
import type { Budget } from '../base/work-budget.js';

/** The cost of reading a type, and of each type that it refers to, in steps. */
const STEPS_PER_TYPE = 20;
const STEPS_PER_CHILD = 5;
/** Types that are found with a set. */
const FEW = 1_000;

/**
 * closureOf returns the ids of types and of everything that they refer to, in ascending order and without void. It
 * includes types of the base. The generator yields when other jobs may have a turn.
 *
 * @throws ServiceError WORK_TOO_LARGE if the job has taken too many steps.
 */
export function* closureOf(
  spec: Spec,
  roots: Iterable<TypeId>,
  budget: Budget,
): Generator<null, Uint32Array, void> {
  const types = new TypeReader(spec);
  const open: TypeId[] = [];
  const few = new Set<TypeId>();
  /** For each type whether it was found. Few types do not need as much memory. */
  let marks: Uint8Array | null = null;
  let count = 0;
  let steps = 0;
  const visit = (id: TypeId): void => {
    steps += STEPS_PER_CHILD;
    if (id === 0 || (marks === null ? few.has(id) : marks[id] === 1)) return;
    open.push(id);
    count += 1;
    if (marks !== null) marks[id] = 1;
    else if (few.add(id).size === FEW) marks = marked(few, spec.endTypeId);
  };
  for (const id of roots) visit(id);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    types.open(id);
    steps = STEPS_PER_TYPE;
    types.visitIds(visit);
    if (budget.spend(steps, 'types')) yield null;
  }
  return marks === null ? Uint32Array.from(few).toSorted() : indexesOf(marks, count);
}

function marked(ids: Iterable<TypeId>, end: TypeId): Uint8Array {
  const marks = new Uint8Array(end);
  for (const id of ids) marks[id] = 1;
  return marks;
}

/** Returns the indexes of `count` marks. */
function indexesOf(marks: Uint8Array, count: number): Uint32Array {
  const ids = new Uint32Array(count);
  let at = 0;
  for (let id = 1; id < marks.length; id++) if (marks[id] === 1) ids[at++] = id;
  return ids;
}
