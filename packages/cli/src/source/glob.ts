import { compileGlob, GlobError, isGlob, type NameTest } from '@btfd/btf';
import { usageError } from '../error/cli-error.js';

/**
 * checkNames checks names and globs before anything is asked for them.
 *
 * @throws CliError USAGE as {@link nameTest}.
 */
export function checkNames(namesAndGlobs: readonly string[]): void {
  for (const one of namesAndGlobs) nameTest(one);
}

/**
 * nameTest makes a test of a name or a glob, as the daemon takes them.
 *
 * @throws CliError USAGE that says what is wrong with a glob, or with an empty name.
 */
export function nameTest(nameOrGlob: string): NameTest {
  // What has no name isn't meant.
  if (nameOrGlob === '') throw usageError('an empty text is no name');
  if (!isGlob(nameOrGlob)) return (name) => name === nameOrGlob;
  try {
    return compileGlob(nameOrGlob);
  } catch (error) {
    if (!(error instanceof GlobError)) throw error;
    throw usageError(`${JSON.stringify(nameOrGlob)} is no glob: ${error.message}`);
  }
}
