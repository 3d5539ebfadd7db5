import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { describeType, resolve } from './resolve.js';
import { MAX_PATH_STEPS, parseMemberPath, type PathStep } from './member-path.js';
import type { ResolveOptions, ResolvedMember } from './member-place.js';
import { rootOfPath } from './member-root.js';
import { MemberWalk } from './member-walk.js';

/**
 * resolveMember follows a path through members of structs and unions, including anonymous ones, elements of arrays and
 * pointers: `task_struct.mm.pgd`, `struct sk_buff.cb[3]`.
 *
 * A step after a pointer crosses the pointer; `.` and `->` mean the same. An offset has no meaning across a pointer, so
 * it then counts from the start of the target, and `dereferences` lists the pointers to read. An index on a pointer is
 * the element that C finds there: `p[0].x` is `p->x`. A pointer to a declared type leads to the definition if there is
 * exactly one. An array without elements (a flexible array) takes any index.
 *
 * The path begins with the name of a struct, a union or a typedef. `struct` or `union` before the name chooses between
 * types of one name. See {@link resolveMemberOf} for types that have the same name and kind.
 *
 * @throws BtfFormatError `INVALID_ARGUMENT` if `path` is not a path to a member.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 64 steps.
 * @throws MemberPathError `NOT_FOUND` if there is no such type, member or element.
 * @throws MemberPathError `AMBIGUOUS` if there are several types of the name.
 * @throws MemberPathError `INVALID_ARGUMENT` if the type cannot have one, for example a member of an integer.
 * @throws MemberPathError `MALFORMED`, `UNSUPPORTED` or `LIMIT_EXCEEDED` if `sizeof` or `resolve` fails so on the way.
 */
export function resolveMember(spec: Spec, path: string, options: ResolveOptions = {}): ResolvedMember {
  const { root, kind, steps } = parseMemberPath(path);
  return new MemberWalk(spec, rootOfPath(spec, root, kind, options), root, options).walk(steps);
}

/**
 * resolveMemberOf is {@link resolveMember} from a type of any kind, given by its id.
 *
 * @throws BtfFormatError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 64 steps.
 * @throws MemberPathError as {@link resolveMember} does.
 */
export function resolveMemberOf(
  spec: Spec,
  rootId: TypeId,
  steps: readonly PathStep[],
  options: ResolveOptions = {},
): ResolvedMember {
  if (steps.length > MAX_PATH_STEPS) {
    throw new BtfFormatError('LIMIT_EXCEEDED', `path has more than ${MAX_PATH_STEPS} steps`);
  }
  const root = resolve(spec, rootId);
  return new MemberWalk(spec, root, describeType(root), options).walk(steps);
}
