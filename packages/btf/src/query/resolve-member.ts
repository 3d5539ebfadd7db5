import { BtfReadError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { MemberPathError } from './member-error.js';
import { MAX_PATH_STEPS, parseMemberPath, type PathStep, tooManySteps } from './member-path.js';
import type { ResolveOptions, ResolvedMember } from './member-place.js';
import { rootsOfId, rootsOfPath } from './member-root.js';
import { MemberSearch } from './member-search.js';

/**
 * resolveMember follows a path through members of structs and unions, including anonymous ones, elements of arrays and
 * pointers: `task_struct.mm.pgd`, `struct sk_buff.cb[3]`.
 *
 * A step after a pointer crosses the pointer; `.` and `->` mean the same. An offset has no meaning across a pointer, so
 * it then counts from the start of the target, and `dereferences` lists the pointers to read. An index on a pointer is
 * the element that C finds there: `p[0].x` is `p->x`. A pointer to a declared type leads to the definition of its name.
 * An array without elements (a flexible array) takes any index.
 *
 * The path begins with the name of a struct, a union or a typedef, or with the id of any type: `114.pid`. `struct` or
 * `union` before the name chooses between types of one name.
 *
 * If several types have the name, or define a declared type, those that do not have the member do not count. The result is
 * that of the first one if it is the same in all others: equal offsets, size and pointers to read, and a type of the
 * same name. Otherwise the path is ambiguous, and the error has the result for each type, and a path that means it.
 *
 * @throws MemberPathError with the {@link MemberProblem} as `problem`, if the path cannot be resolved. Its code is
 * `INVALID_ARGUMENT` if `path` is not a path, or for a member of a type that has none, such as an integer;
 * `NOT_FOUND` if there is no such type, member or element; `AMBIGUOUS` if types of one name differ; `LIMIT_EXCEEDED` for
 * more than 64 steps; `MALFORMED`, `UNSUPPORTED` or `LIMIT_EXCEEDED` if `sizeof` or `resolve` fails so on the way.
 */
export function resolveMember(spec: Spec, path: string, options: ResolveOptions = {}): ResolvedMember {
  const parsed = parseMemberPath(path);
  return readable(parsed.root, () => {
    const roots = rootsOfPath(spec, parsed, options);
    return new MemberSearch(spec, parsed, options).from(roots);
  });
}

/**
 * resolveMemberOf is {@link resolveMember} from a type of any kind, given by its id.
 *
 * @throws MemberPathError `NOT_FOUND` if there is no such id.
 * @throws MemberPathError `LIMIT_EXCEEDED` for more than 64 steps.
 * @throws MemberPathError as {@link resolveMember} does.
 */
export function resolveMemberOf(
  spec: Spec,
  rootId: TypeId,
  steps: readonly PathStep[],
  options: ResolveOptions = {},
): ResolvedMember {
  if (steps.length > MAX_PATH_STEPS) throw tooManySteps();
  const path = { kind: null, root: String(rootId), steps };
  return readable(path.root, () => {
    const roots = rootsOfId(spec, rootId, null, options);
    return new MemberSearch(spec, path, options).from(roots);
  });
}

/** Runs a search. @throws MemberPathError `UNREADABLE` for errors of the types at its start, and others as they are. */
function readable(root: string, search: () => ResolvedMember): ResolvedMember {
  try {
    return search();
  } catch (error) {
    if (!(error instanceof BtfReadError) || error instanceof MemberPathError) throw error;
    throw new MemberPathError('UNREADABLE', `${root}: ${error.message}`, { code: error.code });
  }
}
