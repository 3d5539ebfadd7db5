import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Origin, SelectionResultSchema, TypeSelection } from '@btfd/api';
import { compileGlob, GlobError, type NameTest, type Spec, type TypeId } from '@btfd/btf';
import { invalidArgument } from '../error/argument.js';
import { ORIGIN_NUMBERS } from '../object/handle-info.js';
import type { FakeObject } from './fake-object.js';

/** FoundTypes are the types that a selection means, and what it found nothing for. */
export interface FoundTypes {
  readonly ids: TypeId[];
  readonly result: MessageInitShape<typeof SelectionResultSchema>;
}

/** findTypes finds the own types of a spec that a selection means, as the daemon does. */
export function findTypes(spec: Spec, { names, nameGlobs, kinds, ids }: TypeSelection): FoundTypes {
  const globs = nameGlobs.map((text) => ({ text, matches: nameTest(text) }));
  const selectsAll = names.length === 0 && globs.length === 0 && ids.length === 0;
  const found: TypeId[] = [];
  const seen = new Set<string>();
  for (const { id, name } of spec.types()) {
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

/** objectFilter says which objects have one of some origins and a name that matches one of some globs. */
export function objectFilter(
  origins: readonly Origin[],
  nameGlobs: readonly string[],
): (object: FakeObject) => boolean {
  const globs = nameGlobs.map(nameTest);
  return ({ origin, name }) =>
    (origins.length === 0 || origins.includes(ORIGIN_NUMBERS[origin])) &&
    (globs.length === 0 || globs.some((matches) => matches(name)));
}

/** @throws BtfError INVALID_REQUEST for a glob that is none, as the daemon's. */
function nameTest(glob: string): NameTest {
  if (glob === '') throw invalidArgument('name_globs', 'is empty');
  try {
    return compileGlob(glob);
  } catch (error) {
    throw error instanceof GlobError ? invalidArgument('name_globs', error.message) : error;
  }
}
