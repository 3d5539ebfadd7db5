import type { IterateHandlesRequest } from '@btfd/api';
import { requireSight, type Caller } from '../auth/caller.js';
import { checkCount } from '../error/service-error.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import { originOf } from '../kernel/origin.js';
import { compileGlobs } from '../base/selection.js';

const MAX_GLOBS = 100;

/**
 * objectFilter returns a test for the objects that a request selects and its caller may see.
 *
 * @throws ServiceError ROLE_FORBIDS if the request names an origin whose objects the caller may not see.
 * @throws ServiceError INVALID_REQUEST for invalid globs.
 */
export function objectFilter(
  { origins, nameGlobs }: Pick<IterateHandlesRequest, 'origins' | 'nameGlobs'>,
  caller: Caller,
): (info: ObjectInfo) => boolean {
  checkCount('name_globs', nameGlobs, MAX_GLOBS);
  const globs = compileGlobs('name_globs', nameGlobs);
  // A request that names an origin fails. Otherwise objects that the caller may not see are left out.
  for (const origin of origins) requireSight(caller, origin);
  // `maySee` comes last: it notes the role that the call needs, which only the objects shown should raise.
  return (info) =>
    (origins.length === 0 || origins.includes(originOf(info))) &&
    (globs.length === 0 || globs.some((matches) => matches(info.name))) &&
    caller.maySee(originOf(info));
}
