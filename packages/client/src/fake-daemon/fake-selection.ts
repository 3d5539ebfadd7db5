import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Origin, SelectionResultSchema, TypeSelection } from '@btfd/api';
import { compileGlob, GlobError, type NameTest, type Spec, type TypeId } from '@btfd/btf';
import { invalidArgument } from '../error/argument.js';
import { ORIGIN_NUMBERS } from '../base/enum-numbers.js';
import type { FakeObject } from './fake-object.js';

/** FoundTypes are the selected types, and the parts of the selection that selected none. */
export interface FoundTypes {
  readonly ids: TypeId[];
  readonly result: MessageInitShape<typeof SelectionResultSchema>;
}

/** findTypes returns a spec's own types that a selection selects, as the daemon does. */
export function findTypes(spec: Spec, { names, nameGlobs, kinds, ids }: TypeSelection): FoundTypes {
  const globs = nameGlobs.map((text) => ({ text, matches: nameTest(text) }));
  const selectsAll = names.length === 0 && globs.length === 0 && ids.length === 0;
  const found: TypeId[] = [];
  const seen = new Set<string>();
  for (const id of spec.typeIds()) {
    const name = spec.nameOf(id);
    const matching = globs.filter(({ matches }) => name !== '' && matches(name));
    const isNamed = name !== '' && names.includes(name);
    for (const { text } of matching) seen.add(`glob ${text}`);
    if (isNamed) seen.add(`name ${name}`);
    const isSelected = selectsAll || isNamed || matching.length > 0 || ids.includes(id);
    if (isSelected && (kinds.length === 0 || kinds.includes(spec.kindOf(id)))) found.push(id);
  }
  return {
    ids: found,
    result: {
      typeCount: found.length,
      namesNotFound: names.filter((name) => !seen.has(`name ${name}`)),
      globsNotMatched: nameGlobs.filter((text) => !seen.has(`glob ${text}`)),
      idsNotFound: ids.filter((id) => id < spec.firstTypeId || id >= spec.endTypeId),
    },
  };
}

/** objectFilter returns a test for objects that have one of the origins and a name that matches one of the globs. */
export function objectFilter(
  origins: readonly Origin[],
  nameGlobs: readonly string[],
): (object: FakeObject) => boolean {
  const globs = nameGlobs.map(nameTest);
  return ({ origin, name }) =>
    (origins.length === 0 || origins.includes(ORIGIN_NUMBERS[origin])) &&
    (globs.length === 0 || globs.some((matches) => matches(name)));
}

/** Returns the test of a glob. @throws BtfError INVALID_REQUEST for an invalid glob, as the daemon does. */
function nameTest(glob: string): NameTest {
  if (glob === '') throw invalidArgument('name_globs', 'is empty');
  try {
    return compileGlob(glob);
  } catch (error) {
    throw error instanceof GlobError ? invalidArgument('name_globs', error.message) : error;
  }
}
