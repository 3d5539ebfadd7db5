import type { Spec, SpecDiff } from '@btfd/btf';
import type { BuildAnswer } from '@btfd/fleet';
import { changesData } from '../diff/diff-data.js';
import { diffNames, diffText } from '../diff/diff-text.js';
import { usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { openFleet } from '../fleet/open-fleet.js';
import { showFleet } from '../fleet/show-fleet.js';
import type { FleetDiffOptions } from '../grammar/fleet-diff.js';
import { makeColors } from '../output/colors.js';
import { codeBlock } from '../output/markdown.js';
import { grouped } from '../output/numbers.js';
import type { Session } from '../session/session.js';
import { checkNames } from '../source/glob.js';
import { parseSpecRef } from '../source/spec-ref.js';
import { checkTypeNames, comparedKind } from './diff.js';

type DiffAnswer = BuildAnswer<SpecDiff>;

/** fleetDiff runs `btfctl fleet diff`. */
export async function fleetDiff(session: Session, options: FleetDiffOptions): Promise<number> {
  const { type, kind, closure } = options;
  checkTypeNames(type ?? []);
  checkNames(type ?? []);
  const from = await kernelOf(session, options.from);
  await using open = await openFleet(session, options);
  const answer = await open.fleet.diff({
    ...open.ask,
    from,
    closure,
    object: options.in,
    types: type,
    kinds: kind === undefined ? undefined : [comparedKind(kind)],
  });
  const { builds } = answer;
  const diffs = builds.flatMap(({ value }) => value ?? []);
  const isNothing =
    (type !== undefined || kind !== undefined) &&
    diffs.length > 0 &&
    diffs.every((diff) => countOf(diff) + diff.same === 0);
  const sections = (labels: readonly string[], colors = session.colors): string[] =>
    sectionsOf(builds, labels).map(({ names, diff }) =>
      diffText({ a: options.from, b: names.join(', ') }, diff, colors),
    );
  const exitCode = await showFleet(session, open, options, answer, {
    table: () => ({
      columns: ['REMOVED', 'ADDED', 'CHANGED', 'SAME'].map((heading) => ({ heading, align: 'right' })),
      rows: ({ value }) => [
        value === null
          ? ['(no answer)']
          : [value.removed.length, value.added.length, value.changed.length, value.same].map(grouped),
      ],
    }),
    buildData: ({ value }) => ({ diff: value === null ? null : changesData(value) }),
    names: [...new Set(diffs.flatMap(diffNames))],
    after: (labels) =>
      sections(labels)
        .map((text) => `\n${text}`)
        .join(''),
    markdownAfter: (labels) =>
      sections(labels, makeColors(false))
        .map((text) => `\n${codeBlock('diff', text)}`)
        .join(''),
    exitCode: isNothing
      ? ExitCode.NOT_FOUND
      : diffs.some((diff) => countOf(diff) > 0)
        ? ExitCode.DIFFERENT
        : ExitCode.OK,
  });
  if (isNothing) session.warn(`neither ${options.from} nor a build has types that match`);
  return exitCode;
}

/** Returns what the library takes: a node or a digest as it is, and the types of a file. */
async function kernelOf(session: Session, from: string): Promise<string | Spec> {
  if (from.startsWith('@') || /^[\da-f]{8,64}$/.test(from)) return from;
  const ref = parseSpecRef(from);
  if (ref.kind === 'file') return (await session.source(ref)).spec();
  throw usageError(
    `--from ${from} is not a kernel`,
    'use @NODE, the digest of a build or at least 8 digits of it, or the path of a file',
  );
}

function countOf({ removed, added, changed }: SpecDiff): number {
  return removed.length + added.length + changed.length;
}

/** Returns the differences, equal ones of several builds once, with the labels of the builds. */
function sectionsOf(
  builds: readonly DiffAnswer[],
  labels: readonly string[],
): { readonly names: string[]; readonly diff: SpecDiff }[] {
  const sections = new Map<string, { names: string[]; diff: SpecDiff }>();
  for (const [index, { value }] of builds.entries()) {
    if (value === null || countOf(value) === 0) continue;
    const key = JSON.stringify(changesData(value));
    const section = sections.get(key) ?? { names: [], diff: value };
    sections.set(key, section);
    section.names.push(labels[index] ?? '');
  }
  return [...sections.values()];
}
