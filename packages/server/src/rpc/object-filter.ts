import type { IterateHandlesRequest } from '@btfd/api';
import { checkCount } from '../error/invalid-request.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import { originOf } from '../kernel/origin.js';
import { compileGlobs } from '../spec/glob.js';

const MAX_GLOBS = 100;

/** objectFilter says which objects a request asks for. */
export function objectFilter({
  origins,
  nameGlobs,
}: Pick<IterateHandlesRequest, 'origins' | 'nameGlobs'>): (info: ObjectInfo) => boolean {
  checkCount('name_globs', nameGlobs, MAX_GLOBS);
  const globs = compileGlobs('name_globs', nameGlobs);
  return (info) =>
    (origins.length === 0 || origins.includes(originOf(info))) &&
    (globs.length === 0 || globs.some((matches) => matches(info.name)));
}
