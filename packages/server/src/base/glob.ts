import { compileGlob, GlobError, type NameTest } from '@btfd/btf';
import { invalidRequest } from '../error/service-error.js';

const MAX_GLOB_LENGTH = 256;

/** compileGlobs compiles the globs of a request's field. */
export function compileGlobs(field: string, globs: readonly string[]): NameTest[] {
  return globs.map((glob, index) => {
    const path = `${field}[${index}]`;
    if (glob === '') throw invalidRequest(path, 'is empty');
    if (glob.length > MAX_GLOB_LENGTH) {
      throw invalidRequest(path, `has ${glob.length} characters; at most ${MAX_GLOB_LENGTH} are allowed`);
    }
    try {
      return compileGlob(glob);
    } catch (error) {
      throw error instanceof GlobError ? invalidRequest(path, error.message) : error;
    }
  });
}
