import type { IterateHandlesRequest } from '@btfd/api';
import { requireSight, type Caller } from '../auth/caller.js';
import { checkCount } from '../error/service-error.js';
import { type ObjectInfo, originOf } from '../kernel/kernel.js';
import { compileGlobs } from '../base/selection.js';

const MAX_GLOBS = 100;

/**
 * objectFilter says which objects a request asks for, of those that its caller may see.
 *
 * @throws ServiceError with ROLE_FORBIDS for an origin whose objects the caller may not see.
 */
export function objectFilter(
  { origins, nameGlobs }: Pick<IterateHandlesRequest, 'origins' | 'nameGlobs'>,
  caller: Caller,
): (info: ObjectInfo) => boolean {
  checkCount('name_globs', nameGlobs, MAX_GLOBS);
  const globs = compileGlobs('name_globs', nameGlobs);
  // Who names an origin wants to know that its objects aren't shown; else they are left out.
  for (const origin of origins) requireSight(caller, origin);
  // The caller last: only what is shown counts as what its role was needed for.
  return (info) =>
    (origins.length === 0 || origins.includes(originOf(info))) &&
    (globs.length === 0 || globs.some((matches) => matches(info.name))) &&
    caller.maySee(originOf(info));
}
