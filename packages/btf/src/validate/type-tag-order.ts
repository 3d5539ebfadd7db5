import { Kind, type TypeId } from '../types.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';
import type { ProblemList } from './problem.js';
import { isModifier, type RawTypes } from './raw-types.js';

/** The number of modifiers that the kernel follows here. */
const MAX_MODIFIERS = 32;

/**
 * checkTypeTagOrder checks modifiers that follow each other, as kernels with TYPE_TAG do: that they are not too many,
 * and that type tags come first, unless `features.lateTypeTags`. All types must be resolved.
 *
 * @param first the first type to check.
 */
export function checkTypeTagOrder(
  types: RawTypes,
  first: TypeId,
  features: KernelFeatures,
  problems: ProblemList,
): void {
  if (!features.typeTag) return;
  // Types that were checked before need not be followed again: the order is right from there on.
  let checked = first - 1;
  for (let id = first; id < types.end && !problems.full; id++) {
    if (!isModifier(types.kind(id))) continue;
    const message = orderProblem(types, id, checked, features);
    if (message !== null) problems.add(id, message);
    checked = id;
  }
}

function orderProblem(
  types: RawTypes,
  start: TypeId,
  checked: TypeId,
  { lateTypeTags }: KernelFeatures,
): string | null {
  let id = start;
  let inTags = types.kind(id) === Kind.TYPE_TAG;
  for (let followed = 0; isModifier(types.kind(id)); followed++) {
    if (followed === MAX_MODIFIERS) return 'Max chain length or cycle detected';
    const isTag = types.kind(id) === Kind.TYPE_TAG;
    if (isTag && !inTags && !lateTypeTags) return "Type tags don't precede modifiers";
    inTags = isTag;
    if (id <= checked) return null;
    id = types.third(id);
  }
  return null;
}
