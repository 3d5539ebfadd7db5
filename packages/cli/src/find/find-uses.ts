import { BtfReadError, type Spec } from '@btfd/btf';
import { notFound } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { FindOptions } from '../grammar/find.js';
import { formatTable } from '../output/table.js';
import type { Session } from '../session/session.js';
import { typeIdOf, withoutKeyword } from '../source/chosen-types.js';
import { nameTest } from '../source/glob.js';
import { isOfKind } from './match.js';
import { noType } from './no-type.js';
import { objectSpecs, skipped } from './object-specs.js';
import { ASKED_KINDS, type Question, type Row, rowData, targetsOf } from './questions.js';

/** NameFilter is a name, glob or id of the arguments, and whether a row has it. */
interface NameFilter {
  readonly text: string;
  readonly holds: (spec: Spec, row: Row) => boolean;
}

/**
 * findUses shows the result of a question of `btfctl find` about all objects, or about that of `--in`.
 *
 * @param names choose the structs or functions; empty for all.
 * @throws CliError NOT_FOUND if there is no such type, or nothing to show.
 */
export async function findUses(
  session: Session,
  question: Question,
  names: readonly string[],
  options: FindOptions,
): Promise<number> {
  const { type } = question;
  const filters = names.map(nameFilter);
  const missing = new Set(names);
  const rows: Row[] = [];
  let firstSpec: Spec | null = null;
  let isKnown = type === null;
  for await (const [object, spec] of objectSpecs(session, options)) {
    firstSpec ??= spec;
    const targets = type === null ? [] : targetsOf(spec, type);
    if (type !== null && targets.length === 0) continue;
    isKnown = true;
    try {
      for (const row of question.rows(object, spec, targets)) {
        if (!isOfKind(spec, row.match.id, options.kind)) continue;
        const holding = filters.filter(({ holds }) => holds(spec, row));
        if (filters.length > 0 && holding.length === 0) continue;
        for (const { text } of holding) missing.delete(text);
        rows.push(row);
      }
    } catch (error) {
      // One hostile object must not hide the rows of the others.
      if (!(error instanceof BtfReadError) || options.in !== undefined) throw error;
      skipped(session, object, error);
    }
  }
  if (!isKnown && type !== null) {
    const { in: where } = options;
    throw noType([type], where === undefined ? {} : { in: where }, firstSpec, ASKED_KINDS);
  }
  if (rows.length === 0) throw notFound(noneText(question, names, options));
  await session.show({
    data: ranked(rows).map(rowData),
    names: [...new Set(ranked(rows).map(({ match }) => match.name))],
    text: (wide) => usesText(question, ranked(rows), wide, session),
  });
  if (missing.size === 0) return ExitCode.OK;
  session.warn(noneText(question, [...missing], options));
  return ExitCode.NOT_FOUND;
}

function noneText(
  { none }: Question,
  names: readonly string[],
  { in: where, kind }: Pick<FindOptions, 'in' | 'kind'>,
): string {
  const among = [
    ...(kind === undefined ? [] : [`of kind ${kind}`]),
    ...(names.length === 0 ? [] : [`named ${names.join(', ')}`]),
  ];
  return [
    none,
    ...(where === undefined ? [] : [`in ${where}`]),
    ...(among.length === 0 ? [] : ['among those', ...among]),
  ].join(' ');
}

function nameFilter(text: string): NameFilter {
  const id = typeIdOf(text);
  if (id !== null) return { text, holds: (_, { match }) => match.id === id };
  const { name, kinds } = withoutKeyword(text);
  const matches = nameTest(name);
  return {
    text,
    holds: (spec, { match }) =>
      matches(match.name) && (kinds === null || kinds.includes(spec.kindOf(match.id))),
  };
}

/** Returns rows with the largest rank first; those of one rank stay in their order. */
function ranked(rows: readonly Row[]): Row[] {
  return rows.toSorted((a, b) => b.rank - a.rank);
}

function usesText(
  { columns }: Question,
  rows: readonly Row[],
  wide: boolean,
  { width, colors }: Pick<Session, 'width' | 'colors'>,
): string {
  const [first, ...others] = columns;
  const named = first === undefined ? [] : [{ ...first, color: colors.name }];
  const more = wide
    ? [
        { heading: 'ID', align: 'right' as const },
        { heading: 'DECLARATION', shrinks: true },
      ]
    : [];
  return formatTable(
    [{ heading: 'OBJECT', shrinks: true }, ...named, ...others, ...more],
    rows.map(({ match, cells }) => [
      match.object,
      ...cells,
      ...(wide ? [String(match.id), match.declaration] : []),
    ]),
    { width, colors },
  );
}
