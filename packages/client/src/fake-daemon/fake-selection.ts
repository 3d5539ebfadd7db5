import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Origin, SelectionResultSchema, TypeSelection } from '@btfd/api';
import type { Spec, TypeId } from '@btfd/btf';
import { invalidArgument } from '../argument.js';
import { ORIGIN_NUMBERS } from '../handle-info.js';
import type { FakeObject } from './fake-object.js';

/** FoundTypes are the types that a selection means, and what it found nothing for. */
export interface FoundTypes {
  readonly ids: TypeId[];
  readonly result: MessageInitShape<typeof SelectionResultSchema>;
}

/** findTypes finds the own types of a spec that a selection means, as the daemon does. */
export function findTypes(spec: Spec, { names, nameGlobs, kinds, ids }: TypeSelection): FoundTypes {
  const globs = nameGlobs.map((text) => ({ text, pattern: globPattern(text) }));
  const selectsAll = names.length === 0 && globs.length === 0 && ids.length === 0;
  const found: TypeId[] = [];
  const seen = new Set<string>();
  for (const { id, name } of spec.types()) {
    const matching = globs.filter(({ pattern }) => name !== '' && pattern.test(name));
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
  const globs = nameGlobs.map(globPattern);
  return ({ origin, name }) =>
    (origins.length === 0 || origins.includes(ORIGIN_NUMBERS[origin])) &&
    (globs.length === 0 || globs.some((glob) => glob.test(name)));
}

/**
 * globPattern is a glob (`*`, `?`, `[a-z]`, `[!a-z]`) as a pattern for the whole of a name.
 *
 * @throws BtfError INVALID_REQUEST for a glob that is none.
 */
export function globPattern(glob: string): RegExp {
  const parts: readonly string[] = glob.match(/\[(?:![^]|[^!])[^\]]*\]|[^]/gu) ?? [];
  if (parts.length === 0 || parts.includes('[')) throw invalidArgument('globs', `${glob} is none`);
  const source = parts.map((part) => (part.length > 1 ? classPattern(part) : charPattern(part)));
  return new RegExp(`^${source.join('')}$`, 's');
}

function charPattern(char: string): string {
  if (char === '*') return '.*';
  if (char === '?') return '.';
  return char.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function classPattern(glob: string): string {
  const isNegated = glob.startsWith('[!');
  const members = glob.slice(isNegated ? 2 : 1, -1).match(/[^]-[^]|[^]/g) ?? [];
  // A range that runs backwards has nothing in it, and is an error in a RegExp.
  const kept = members.filter((member) => member.length === 1 || member.charAt(0) <= member.charAt(2));
  const source = kept.map((member) => member.replaceAll(/[\\\]^]|^-$/g, '\\$&')).join('');
  if (source === '') return isNegated ? '.' : '(?!)';
  return `[${isNegated ? '^' : ''}${source}]`;
}
