import type { Spec, TypeId } from '@btfd/btf';
import { usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { findUses } from '../find/find-uses.js';
import { isOfKind, kindWord, type Match, matchData, matchOf } from '../find/match.js';
import { noType } from '../find/no-type.js';
import { objectSpecs } from '../find/object-specs.js';
import { questionOf } from '../find/questions.js';
import type { FindOptions } from '../grammar/find.js';
import { grouped } from '../output/numbers.js';
import { type Column, formatTable } from '../output/table.js';
import type { Session } from '../session/session.js';
import { idsNamed, withoutKeyword } from '../source/chosen-types.js';
import { checkNames } from '../source/glob.js';

/** find runs `btfctl find`. */
export async function find(
  session: Session,
  names: readonly string[],
  options: FindOptions,
): Promise<number> {
  checkNames(names);
  const question = questionOf(options);
  if (question !== null) return findUses(session, question, names, options);
  if (names.length === 0) {
    throw usageError(
      'find needs a name, or one of --contains, --points-to, --takes, --returns, --sizes, --packable',
    );
  }
  const matches: Match[] = [];
  const missing = new Set(names);
  let firstSpec: Spec | null = null;
  for await (const [object, spec] of objectSpecs(session, options)) {
    firstSpec ??= spec;
    const ids = new Set<TypeId>();
    for (const name of names) {
      // Every module has the ids of vmlinux too.
      const first = options.in === undefined ? spec.firstTypeId : 1;
      const { name: bare, kinds } = withoutKeyword(name);
      const named = idsNamed(spec, bare).filter(
        (id) => id >= first && isOfKind(spec, id, options.kind) && (kinds?.includes(spec.kindOf(id)) ?? true),
      );
      if (named.length > 0) missing.delete(name);
      for (const id of named) ids.add(id);
    }
    for (const id of [...ids].toSorted((a, b) => a - b)) matches.push(matchOf(object, spec, id));
  }
  if (matches.length === 0) throw noType([...missing], options, firstSpec);
  await session.show({
    data: matches.map(matchData),
    names: [...new Set(matches.map(({ name }) => name))],
    text: (wide) => findText(matches, wide, session),
  });
  if (missing.size === 0) return ExitCode.OK;
  session.warn(noType([...missing], options, null).message);
  return ExitCode.NOT_FOUND;
}

function findText(matches: readonly Match[], wide: boolean, { width, colors }: Session): string {
  const columns: Column[] = [
    { heading: 'OBJECT', shrinks: true },
    { heading: 'ID', align: 'right' },
    { heading: 'KIND' },
    { heading: 'NAME', shrinks: true, color: colors.name },
    { heading: 'BYTES', align: 'right' },
    ...(wide ? [{ heading: 'DECLARATION', shrinks: true }] : []),
  ];
  const rows = matches.map(({ object, id, kind, name, size, declaration: text }) => [
    object,
    String(id),
    kindWord(kind),
    name,
    size === null ? '-' : grouped(size),
    text,
  ]);
  return formatTable(columns, rows, { width, colors });
}
