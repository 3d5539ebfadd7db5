import { BtfReadError, parseMemberPath } from '@btfd/btf';
import type { MemberFailure } from '@btfd/client';
import { usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { InOptions } from '../grammar/options.js';
import { makeColors } from '../output/colors.js';
import { memberData, offsetsText, typeText } from '../output/member-text.js';
import { grouped } from '../output/numbers.js';
import { formatTable } from '../output/table.js';
import type { Session } from '../session/session.js';
import { parseSpecRef } from '../source/spec-ref.js';

/** member runs `btfctl member`. */
export async function member(
  session: Session,
  paths: readonly string[],
  options: InOptions,
): Promise<number> {
  checkPaths(paths);
  const source = await session.source(parseSpecRef(options.in), options.base);
  const results = await source.members(paths);
  const found = results.flatMap(({ path, member: place }) => (place === null ? [] : [{ path, place }]));
  const columns = [
    { heading: 'PATH', shrinks: true, color: session.colors.name },
    { heading: 'OFFSET', align: 'right' },
    { heading: 'BITS', align: 'right' },
    { heading: 'TYPE', shrinks: true },
  ] as const;
  const rows = found.map(({ path, place }) => [
    path,
    offsetsText(place),
    grouped(place.bitSize),
    typeText(place),
  ]);
  await session.show({
    data: results.map(memberData),
    names: found.map(({ path }) => path),
    text: () => (rows.length === 0 ? '' : formatTable(columns, rows, session)),
  });
  const failed = results.filter((result) => result.member === null);
  for (const { path, error, failure } of failed) {
    const { candidates, candidateCount } = failure;
    session.warn(candidates.length > 0 ? ambiguity(path, failure) : error);
    // A daemon sends only some of very many.
    if (candidates.length < candidateCount)
      session.note(`hint: \`btfctl find ${typeIn(path, failure)} --in ${source.label}\` lists all of them`);
  }
  return failed.length === 0 ? ExitCode.OK : ExitCode.NOT_FOUND;
}

/** Returns the message for an ambiguous path: a table of the types that it may mean, with a path that means each. */
function ambiguity(path: string, { candidates, candidateCount }: MemberFailure): string {
  const columns = [
    { heading: 'PATH' },
    { heading: 'TYPE' },
    { heading: 'OFFSET', align: 'right' },
    { heading: 'BITS', align: 'right' },
    { heading: 'MEMBER' },
  ] as const;
  const rows = candidates.map(({ typeName, inBase, path: exact, member: place }) => [
    exact,
    inBase ? `${typeName} (base)` : typeName,
    ...(place === null ? ['-', '-', 'none'] : [offsetsText(place), grouped(place.bitSize), typeText(place)]),
  ]);
  const table = formatTable(columns, rows, { width: null, colors: makeColors(false) }).trimEnd();
  return `${path} differs in ${grouped(candidateCount)} types of one name: use one of these paths\n${table}`;
}

/** Returns the name of the types that a path may mean. */
function typeIn(path: string, { step, candidates }: MemberFailure): string {
  return step === -1 ? parseMemberPath(path).root : (candidates[0]?.typeName.split(' ').at(-1) ?? '');
}

/**
 * Checks the syntax of paths before a request is made. A path that does not lead to a member is reported with the results.
 *
 * @throws CliError USAGE for an invalid path.
 */
function checkPaths(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      parseMemberPath(path);
    } catch (error) {
      throw error instanceof BtfReadError ? usageError(error.message) : error;
    }
  }
}
