import type { TypeSelection } from '@btfd/api';
import { compileGlob, GlobError, type NameTest, type TypeId } from '@btfd/btf';
import { checkCount, invalidRequest } from '../error/service-error.js';

const MAX_NAMES = 1_000;
const MAX_GLOBS = 100;
const MAX_KINDS = 32;
const MAX_IDS = 10_000;
const MAX_GLOB_LENGTH = 256;

/** Selection says which types of a spec are wanted. */
export type Selection = Pick<TypeSelection, 'names' | 'nameGlobs' | 'kinds' | 'ids' | 'closure'>;

/** Selector is a selection whose fields have been checked. */
export interface Selector {
  readonly names: ReadonlySet<string>;
  readonly globs: readonly { readonly text: string; readonly matches: NameTest }[];
  readonly kinds: ReadonlySet<number>;
  readonly ids: ReadonlySet<TypeId>;
  /** Whether the types that the selected ones refer to are also wanted. */
  readonly closure: boolean;
}

/**
 * compileSelection checks the selection of a request and compiles its globs.
 *
 * @throws ServiceError INVALID_REQUEST if a list is too long or a glob is invalid.
 */
export function compileSelection({ names, nameGlobs, kinds, ids, closure }: Selection): Selector {
  checkCount('selection.names', names, MAX_NAMES);
  checkCount('selection.name_globs', nameGlobs, MAX_GLOBS);
  checkCount('selection.kinds', kinds, MAX_KINDS);
  checkCount('selection.ids', ids, MAX_IDS);
  const matchers = compileGlobs('selection.name_globs', nameGlobs);
  return {
    names: new Set(names),
    globs: matchers.map((matches, index) => ({ text: nameGlobs[index] ?? '', matches })),
    kinds: new Set(kinds),
    ids: new Set(ids),
    closure,
  };
}

/**
 * compileGlobs compiles the globs in a field of a request.
 *
 * @throws ServiceError INVALID_REQUEST if a glob is empty, too long or invalid.
 */
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
