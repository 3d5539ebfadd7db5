import type { TypeId } from '../types.js';
import type { KernelFeatures } from '../kernel/kernel-features.js';
import type { ProblemList } from './problem.js';
import type { SpecialField } from './special-search.js';

/** The number of structs that may own each other in a chain (BTF_MAX_OWNERSHIP_DEPTH). */
const MAX_OWNERSHIP = 8;

/** CheckedStruct is a struct with special fields, each of which is valid on its own. */
export interface CheckedStruct {
  readonly id: TypeId;
  readonly fields: readonly SpecialField[];
}

type Structs = ReadonlyMap<TypeId, CheckedStruct>;

/** checkOwnership checks which structs own others, through the roots of lists and trees and through kept pointers. */
export function checkOwnership(
  structs: Structs,
  { ownershipDepth }: KernelFeatures,
  problems: ProblemList,
): void {
  for (const struct of structs.values()) checkRoots(struct, structs, ownershipDepth, problems);
  if (!ownershipDepth || problems.list.length > 0) return;
  const depths = new Map<TypeId, number>();
  for (const { id } of structs.values()) {
    if (depthOf(id, structs, depths, MAX_OWNERSHIP) !== null) continue;
    // The kernel stops at the first one.
    return problems.add(id, `More than ${MAX_OWNERSHIP} structs own each other (ELOOP)`);
  }
}

/**
 * The contents of a root must be special itself. Before Linux 7.2, if the struct of the root can be an element, the
 * contents must not have a root.
 */
function checkRoots(
  { id, fields }: CheckedStruct,
  structs: Structs,
  ownershipDepth: boolean,
  problems: ProblemList,
): void {
  const isElement = fields.some(({ name }) => name === 'bpf_list_node' || name === 'bpf_rb_node');
  for (const { root, member } of fields) {
    if (root === null) continue;
    const value = structs.get(root.valueId);
    if (value === undefined) {
      problems.add(id, 'contains: tag names a struct without special fields (EFAULT)', member);
    } else if (!ownershipDepth && isElement && value.fields.some((field) => field.root !== null)) {
      problems.add(id, 'Elements of a list or tree own elements that own others (ELOOP)', member);
    } else continue;
    return;
  }
}

/** The number of structs in the longest chain of owners from a struct on; null if it is more than `left`. */
function depthOf(id: TypeId, structs: Structs, depths: Map<TypeId, number>, left: number): number | null {
  if (left === 0) return null;
  let depth = depths.get(id);
  if (depth === undefined) {
    let owned = 0;
    for (const { root, pointee } of structs.get(id)?.fields ?? []) {
      const next = root?.valueId ?? pointee;
      // A pointee without special fields owns nothing.
      if (next === null || !structs.has(next)) continue;
      const below = depthOf(next, structs, depths, left - 1);
      if (below === null) return null;
      owned = Math.max(owned, below);
    }
    depth = owned + 1;
    depths.set(id, depth);
  }
  return depth > left ? null : depth;
}
