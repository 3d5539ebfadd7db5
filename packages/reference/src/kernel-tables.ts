import { markdownTable } from './doc-tables.js';

/** TestedKernel is a kernel that tests boot, as the table of the tests describes it. */
export interface TestedKernel {
  readonly series: string;
  readonly inCi: boolean;
  readonly kernelIds: boolean;
  readonly keepsUnloadedIds: boolean;
  readonly logTrueSize: boolean;
  readonly tokens: string;
  /** The names of features that its release lacks and its package has. */
  readonly backports: readonly string[];
}

/** KernelResult is the result of the tests on a kernel. */
export interface KernelResult {
  readonly release: string;
  readonly version: string;
  readonly bootSeconds: number;
  readonly daemonSeconds: number;
  /** For each check null if it holds, or why it does not apply. */
  readonly checks: Readonly<Record<string, string | null>>;
}

const NOT_RUN = 'not run';

type Results = Readonly<Record<string, KernelResult>>;

/** kernelTables returns the tables of docs/kernels.md: what differs by kernel, and each check on each kernel. */
export function kernelTables(kernels: readonly TestedKernel[], results: Results): string {
  const rowOf = (words: string, cellOf: (kernel: TestedKernel, result?: KernelResult) => string): string[] =>
    [words].concat(kernels.map((kernel) => cellOf(kernel, results[kernel.series])));
  const differences = markdownTable(
    rowOf('', ({ series }) => series),
    [
      rowOf('release', (_, result) => result?.release.replace(/-cloud-amd64$/, '') ?? NOT_RUN),
      rowOf('package', (_, result) => result?.version ?? NOT_RUN),
      rowOf('booted by CI', ({ inCi }) => yesNo(inCi)),
      rowOf('BTF of the kernel and of modules has ids', ({ kernelIds }) => yesNo(kernelIds)),
      rowOf('keeps the id of an unloaded module while something holds its BTF', ({ keepsUnloadedIds }) =>
        yesNo(keepsUnloadedIds),
      ),
      rowOf('reports the size of a log that does not fit', ({ logTrueSize }) => yesNo(logTrueSize)),
      rowOf('calls that take a BPF token', ({ tokens }) => tokens),
      rowOf('features that its release lacks', ({ backports }) => backports.join(', ') || 'none'),
      rowOf('seconds until it runs commands', (_, result) => String(result?.bootSeconds ?? NOT_RUN)),
      rowOf('seconds until btfd listens', (_, result) => String(result?.daemonSeconds ?? NOT_RUN)),
    ],
  );
  const all = kernels.flatMap(({ series }) => results[series] ?? []);
  const titles = [...new Set(all.flatMap(({ checks }) => Object.keys(checks)))];
  const checks = markdownTable(
    rowOf('check', ({ series }) => series),
    titles.map((title) => rowOf(title, (_, result) => cell(result?.checks[title]))),
  );
  const exceptions = kernels.flatMap(({ series }) => exceptionsOf(series, results[series]));
  return `### Kernels\n\n${differences}\n\n### Checks\n\n${checks}\n\n${exceptions.join('\n')}`;
}

/** kernelSummary returns the table of README.md: the kernels on which the tests passed. */
export function kernelSummary(kernels: readonly TestedKernel[], results: Results): string {
  const rows = kernels.flatMap(({ series, inCi }) => {
    const result = results[series];
    if (result === undefined) return [];
    const reasons = Object.values(result.checks);
    const held = reasons.filter((reason) => reason === null).length;
    return [[result.release, result.version, `${held} of ${reasons.length}`, inCi ? 'yes' : 'no']];
  });
  return markdownTable(['kernel', 'package of Debian', 'checks that apply, all hold', 'in CI'], rows);
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function cell(reason: string | null | undefined): string {
  if (reason === undefined) return NOT_RUN;
  return reason === null ? 'holds' : '—';
}

function exceptionsOf(series: string, result: KernelResult | undefined): string[] {
  const reasons = new Set(Object.values(result?.checks ?? {}).filter((reason) => reason !== null));
  return [...reasons].map((reason) => `- — on ${series}: ${reason}.`);
}
