import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { describeType } from './describe-type.js';
import { MAX_PATH_STEPS, parseMemberPath, type PathStep } from './member-path.js';
import type { ResolvedMember } from './member-place.js';
import { rootOfPath } from './member-root.js';
import { MemberWalk } from './member-walk.js';
import { resolve } from './resolve.js';
import type { DataModel } from './sizeof.js';

/**
 * resolveMember finds where a path leads, through members of anonymous structs and unions, elements of arrays
 * and pointers: `task_struct.mm.pgd`, `struct sk_buff.cb[3]`.
 *
 * Pointers are crossed where the path goes on behind one, `.` and `->` alike; as an offset has no meaning
 * across a pointer, it counts anew from what is pointed to, and `dereferences` has the way there. An index
 * on a pointer is the element that C finds there: `p[0].x` is `p->x`. A pointer to a declared type leads to its
 * definition where there is exactly one. An array of no elements (a flexible array) takes any index.
 *
 * The path begins with a struct, a union or a typedef, by its name; `struct` or `union` before it decide
 * between those of one name. See {@link resolveMemberOf} for types that cannot be told apart by name.
 *
 * @throws BtfFormatError `INVALID_ARGUMENT` for what is no path; `LIMIT_EXCEEDED` for more than 64 steps.
 * @throws MemberPathError with the step that fails: `NOT_FOUND` where there is no such type, member or element;
 * `AMBIGUOUS` where there are several types of the name; `INVALID_ARGUMENT` where there can be none, as in an
 * integer; `MALFORMED`, `UNSUPPORTED` and `LIMIT_EXCEEDED` as `sizeof` and `resolve` do.
 */
export function resolveMember(spec: Spec, path: string, model: DataModel = {}): ResolvedMember {
  const { root, kind, steps } = parseMemberPath(path);
  return new MemberWalk(spec, rootOfPath(spec, root, kind), root, model).walk(steps);
}

/**
 * resolveMemberOf is {@link resolveMember} from a type given by its id, which may be of any kind.
 *
 * @throws BtfFormatError as {@link resolveMember} does; `NOT_FOUND` when there is no such id.
 */
export function resolveMemberOf(
  spec: Spec,
  rootId: TypeId,
  steps: readonly PathStep[],
  model: DataModel = {},
): ResolvedMember {
  if (steps.length > MAX_PATH_STEPS) {
    throw new BtfFormatError('LIMIT_EXCEEDED', `path has more than ${MAX_PATH_STEPS} steps`);
  }
  const root = resolve(spec, rootId);
  return new MemberWalk(spec, root, describeType(root), model).walk(steps);
}
