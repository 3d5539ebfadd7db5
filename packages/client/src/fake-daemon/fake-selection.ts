import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SelectionResultSchema, TypeSelection } from '@btfd/api';
import type { Spec, TypeId } from '@btfd/btf';

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

/** globPattern is a glob (`*`, `?`, `[a-z]`, `[!a-z]`) as a pattern for the whole of a name. */
export function globPattern(glob: string): RegExp {
  const parts = glob.match(/\[[!^]?\]?[^\]]*\]|[^]/gu) ?? [];
  const source = parts.map((part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1 && part.startsWith('[')) {
      const negated = /^\[[!^]/.test(part);
      const set = part.slice(negated ? 2 : 1, -1).replaceAll(/[\\\]^]/g, '\\$&');
      return `[${negated ? '^' : ''}${set}]`;
    }
    return part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, 's');
}
