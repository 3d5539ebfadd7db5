import { compileGlob, GlobError, isGlob, type NameTest } from '@btfd/btf';
import { usageError } from '../error/cli-error.js';

/**
 * checkNames checks names and globs before a request is made.
 *
 * @throws CliError USAGE for an empty name or an invalid glob.
 */
export function checkNames(namesAndGlobs: readonly string[]): void {
  for (const one of namesAndGlobs) nameTest(one);
}

/**
 * nameTest returns a test for names that are equal to a name, or match a glob.
 *
 * @throws CliError USAGE for an empty name or an invalid glob.
 */
export function nameTest(nameOrGlob: string): NameTest {
  // It would match the types without a name.
  if (nameOrGlob === '') throw usageError('the name is empty');
  if (!isGlob(nameOrGlob)) return (name) => name === nameOrGlob;
  try {
    return compileGlob(nameOrGlob);
  } catch (error) {
    if (!(error instanceof GlobError)) throw error;
    throw usageError(`invalid glob ${JSON.stringify(nameOrGlob)}: ${error.message}`);
  }
}
