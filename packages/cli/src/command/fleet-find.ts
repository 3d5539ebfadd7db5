import { type KindName, KINDS } from '@btfd/btf';
import type { BuildAnswer, FoundType } from '@btfd/fleet';
import { ExitCode } from '../error/exit-code.js';
import { openFleet } from '../fleet/open-fleet.js';
import { showFleet } from '../fleet/show-fleet.js';
import type { FleetFindOptions } from '../grammar/fleet-find.js';
import { code, markdownTable } from '../output/markdown.js';
import { grouped } from '../output/numbers.js';
import { type Column, formatTable } from '../output/table.js';
import type { Session } from '../session/session.js';
import { checkNames } from '../source/glob.js';

type FindAnswer = BuildAnswer<readonly FoundType[]>;

/** fleetFind runs `btfctl fleet find`. */
export async function fleetFind(session: Session, glob: string, options: FleetFindOptions): Promise<number> {
  checkNames([glob]);
  await using open = await openFleet(session, options);
  const { kind, in: object } = options;
  const answer = await open.fleet.findTypes(glob, {
    ...open.ask,
    object,
    kinds: kind === undefined ? undefined : kindNames(kind),
  });
  const { builds } = answer;
  const searched = builds.filter(({ value }) => value !== null).length;
  const isFound = builds.some(({ value }) => value !== null && value.length > 0);
  const types = typesIn(builds);
  const columns: Column[] = [
    { heading: 'KIND' },
    { heading: 'NAME', shrinks: true, color: session.colors.name },
    { heading: 'BUILDS', shrinks: true },
  ];
  const rows = (labels: readonly string[]): string[][] =>
    types.map(({ kind: word, name, builds: own }) => [
      word,
      name,
      own.length === searched ? 'all' : own.map((index) => labels[index] ?? '').join(' '),
    ]);
  const exitCode = await showFleet(session, open, options, answer, {
    table: () => ({
      columns: [{ heading: 'TYPES', align: 'right' }],
      rows: ({ value }) => [[value === null ? '(no answer)' : grouped(value.length)]],
    }),
    buildData: ({ value }) => ({
      types: (value ?? []).map(({ id, kind: kindName, name }) => ({ id, kind: kindName, name })),
    }),
    names: [...new Set(types.map(({ name }) => name))],
    after: (labels) => (types.length === 0 ? '' : `\n${formatTable(columns, rows(labels), session)}`),
    markdownAfter: (labels) =>
      types.length === 0
        ? ''
        : `\n${markdownTable(
            columns.map(({ heading }) => heading),
            rows(labels).map((row) => row.map(code)),
          )}`,
    exitCode: isFound || searched === 0 ? ExitCode.OK : ExitCode.NOT_FOUND,
  });
  if (!isFound && searched > 0) session.warn(`no build has a ${kind ?? 'type'} named ${glob}`);
  return exitCode;
}

interface TypeRow {
  readonly kind: string;
  readonly name: string;
  /** The indices of the builds that have it. */
  readonly builds: number[];
}

/** Returns the types of all builds, each once, by name. */
function typesIn(builds: readonly FindAnswer[]): TypeRow[] {
  const rows = new Map<string, TypeRow>();
  for (const [index, { value }] of builds.entries()) {
    for (const { kind, name } of value ?? []) {
      const key = `${kind} ${name}`;
      const row = rows.get(key) ?? { kind: kind.toLowerCase(), name, builds: [] };
      rows.set(key, row);
      // A build can have several types of one name.
      if (row.builds.at(-1) !== index) row.builds.push(index);
    }
  }
  return [...rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Returns the name of a kind for a word of `--kind`. */
function kindNames(word: string): KindName[] {
  const isKind = (name: string): name is KindName => Object.hasOwn(KINDS, name);
  return [word.toUpperCase()].filter(isKind);
}
