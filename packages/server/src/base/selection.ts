import type { TypeSelection } from '@btfd/api';
import type { NameTest, TypeId } from '@btfd/btf';
import { checkCount } from '../error/service-error.js';
import { compileGlobs } from './glob.js';

const MAX_NAMES = 1_000;
const MAX_GLOBS = 100;
const MAX_KINDS = 32;
const MAX_IDS = 10_000;

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
