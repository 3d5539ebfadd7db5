import type { BtfError } from '@btfd/client';
import type { KernelBuild, NodeOutcome } from '@btfd/fleet';
import { CliError, notFound } from '../error/cli-error.js';
import { explainError } from '../error/explain-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { FleetOptions } from '../grammar/fleet-options.js';
import { code, markdownTable } from '../output/markdown.js';
import { grouped } from '../output/numbers.js';
import { someOf } from '../output/some-of.js';
import { type Column, formatTable } from '../output/table.js';
import type { Session } from '../session/session.js';
import { buildData, buildLabels, releasesText } from './builds.js';
import { nodesText, warnOfMissing } from './fleet-text.js';
import type { OpenFleet } from './open-fleet.js';
import { fleetExitCode, isFailure, nodesData } from './outcomes.js';

/** Result is the result of a question for one build. */
export interface Result {
  readonly build: KernelBuild;
  readonly nodes: readonly string[];
  /** Why the build has no result; null or absent if it has one. */
  readonly error?: BtfError | null;
}

/** FleetResults are the results of a question for each build. */
export interface FleetResults<R extends Result> {
  readonly builds: readonly R[];
  readonly nodes: ReadonlyMap<string, NodeOutcome>;
  readonly complete: boolean;
}

/** BuildRows are the columns of a question, after those of the build, and their cells in the rows of each build. */
export interface BuildRows<R extends Result> {
  readonly columns: readonly Column[];
  readonly rows: (result: R, label: string) => readonly (readonly string[])[];
}

/** FleetView is what a question shows. */
export interface FleetView<R extends Result> {
  readonly table: (wide: boolean) => BuildRows<R>;
  /** The fields of a build for programs, beside those of each question. */
  readonly buildData: (result: R) => object;
  /** The fields of the whole for programs, beside those of each question. */
  readonly data?: object;
  /** The lines of `-o name`. */
  readonly names: readonly string[];
  /** Text after the table. */
  readonly after?: (labels: readonly string[], wide: boolean) => string;
  readonly markdownAfter?: (labels: readonly string[]) => string;
  /** The exit code of the results. Default: OK. */
  readonly exitCode?: number;
}

/**
 * showFleet prints the results of a question in the format of `-o`, and on standard error which nodes and builds have none.
 * Returns the exit code.
 *
 * @throws CliError NOT_FOUND if the source lists no nodes, and UNREACHABLE if it does not do so before the deadline.
 */
export async function showFleet<R extends Result>(
  session: Session,
  open: OpenFleet,
  options: FleetOptions,
  results: FleetResults<R>,
  view: FleetView<R>,
): Promise<number> {
  const { builds, nodes: outcomes, complete } = results;
  const nodes = { outcomes, addresses: open.addresses };
  if (outcomes.size === 0) throw withoutNodes(open.source, complete);
  const labels = buildLabels(builds.map(({ build }) => build));
  const tableOf = (wide: boolean): { columns: Column[]; rows: string[][] } => {
    const { columns, rows } = view.table(wide);
    return {
      columns: [...buildColumns(session), ...columns],
      rows: [
        ...builds.flatMap((result, index) => {
          const label = labels[index] ?? '';
          return rows(result, label).map((cells) => buildCells(result, label).concat(cells));
        }),
        ...missingRow(results, columns.length),
      ],
    };
  };
  open.done();
  await session.show({
    data: {
      complete,
      ...view.data,
      builds: builds.map((result) => Object.assign(buildData(result), view.buildData(result))),
      nodes: nodesData(nodes),
    },
    names: view.names,
    text: (wide) => {
      const { columns, rows } = tableOf(wide);
      const named = builds.map(({ nodes: names }, index) => ({ label: labels[index] ?? '', nodes: names }));
      return [
        formatTable(columns, rows, session),
        view.after?.(labels, wide) ?? '',
        options.nodes === true ? nodesText(named, nodes, session) : '',
      ].join('');
    },
    markdown: () => {
      const { columns, rows } = tableOf(true);
      const headings = columns.map(({ heading }) => heading);
      const cells = rows.map((row) => row.map((cell) => (cell === '' ? '' : code(cell))));
      return `${markdownTable(headings, cells)}${view.markdownAfter?.(labels) ?? ''}`;
    },
  });
  // On a terminal the table waits for the pager, and would be printed after the warnings.
  await session.out.flush();
  warnOfMissing(session, nodes, options.nodes === true);
  const failed = warnOfErrors(session, results, labels);
  const { exitCode = ExitCode.OK } = view;
  return fleetExitCode(nodes, exitCode === ExitCode.OK ? failed : exitCode);
}

function withoutNodes(source: string, isListed: boolean): CliError {
  return isListed
    ? notFound(`${source}: there are no nodes`)
    : new CliError(ExitCode.UNREACHABLE, `${source}: the nodes were not listed before the deadline`);
}

function buildColumns({ colors }: Session): Column[] {
  return [
    { heading: 'BUILD', color: colors.name },
    { heading: 'KERNEL', shrinks: true },
    { heading: 'ARCH' },
    { heading: 'NODES', align: 'right' },
  ];
}

function buildCells({ build, nodes }: Result, label: string): string[] {
  return [label, releasesText(build), build.machine, grouped(nodes.length)];
}

/** Returns the row of the nodes that belong to no build, because they gave no answer. @param more the columns after those of the build. */
function missingRow({ builds, nodes }: FleetResults<Result>, more: number): string[][] {
  const known = new Set(builds.flatMap(({ nodes: names }) => names));
  const missing = [...nodes].filter(([name, outcome]) => isFailure(outcome) && !known.has(name)).length;
  const rest = Array.from({ length: more }, () => '');
  return missing === 0 ? [] : [['-', '(no answer)', '', grouped(missing), ...rest]];
}

/** Prints the errors of builds whose nodes responded, each once. Returns the exit code of the first, or OK. */
function warnOfErrors(
  session: Session,
  { builds, nodes }: FleetResults<Result>,
  labels: readonly string[],
): number {
  const byMessage = new Map<string, string[]>();
  let exitCode: number = ExitCode.OK;
  for (const [index, { error = null, nodes: names }] of builds.entries()) {
    const outcome = nodes.get(names[0] ?? '');
    // The error of a build whose nodes failed is that of the nodes.
    if (error === null || (outcome !== undefined && isFailure(outcome))) continue;
    const explained = explainError(error);
    if (exitCode === ExitCode.OK) ({ exitCode } = explained);
    const same = byMessage.get(explained.message) ?? [];
    byMessage.set(explained.message, same);
    same.push(labels[index] ?? '');
  }
  for (const [message, own] of byMessage) session.warn(`${ofBuilds(own, builds.length)}${message}`);
  return exitCode;
}

/** The builds that a message names. */
const MOST_BUILDS = 4;

/** ofBuilds returns the start of a message about some builds: `7c1fa29e, e0939b5d: `; empty if it is about all of them. */
export function ofBuilds(labels: readonly string[], all: number): string {
  if (labels.length === all) return '';
  return `${someOf(labels, MOST_BUILDS)}: `;
}
