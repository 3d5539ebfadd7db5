import { markdownTable } from './doc-tables.js';

/** TestedKernel is a kernel that tests boot, as the table of the tests describes it. */
export interface TestedKernel {
  readonly series: string;
  readonly inCi: boolean;
  readonly kernelIds: boolean;
  readonly keepsUnloadedIds: boolean;
  readonly logTrueSize: boolean;
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

type Results = Readonly<Record<string, KernelResult>>;

/** kernelTables returns the tables of docs/kernels.md: what differs by kernel, and each check on each kernel. */
export function kernelTables(kernels: readonly TestedKernel[], results: Results): string {
  const known = kernels.flatMap((kernel) => {
    const result = results[kernel.series];
    return result === undefined ? [] : [{ kernel, result }];
  });
  const differences = markdownTable(
    ['', ...known.map(({ result }) => result.release.replace(/-cloud-amd64$/, ''))],
    [
      ['package', ...known.map(({ result }) => result.version)],
      ['booted by CI', ...known.map(({ kernel }) => yesNo(kernel.inCi))],
      ['BTF of the kernel and of modules has ids', ...known.map(({ kernel }) => yesNo(kernel.kernelIds))],
      [
        'keeps the id of an unloaded module while something holds its BTF',
        ...known.map(({ kernel }) => yesNo(kernel.keepsUnloadedIds)),
      ],
      [
        'reports the size of a log that does not fit',
        ...known.map(({ kernel }) => yesNo(kernel.logTrueSize)),
      ],
      [
        'features that its release lacks',
        ...known.map(({ kernel }) => kernel.backports.join(', ') || 'none'),
      ],
      ['seconds until it runs commands', ...known.map(({ result }) => String(result.bootSeconds))],
      ['seconds until btfd listens', ...known.map(({ result }) => String(result.daemonSeconds))],
    ],
  );
  const titles = [...new Set(known.flatMap(({ result }) => Object.keys(result.checks)))];
  const checks = markdownTable(
    ['check', ...known.map(({ kernel }) => kernel.series)],
    titles.map((title) => [title].concat(known.map(({ result }) => cell(result.checks[title])))),
  );
  const exceptions = [
    ...new Set(known.flatMap(({ kernel, result }) => exceptionsOf(kernel.series, result))),
  ].map((line) => `- ${line}`);
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
  if (reason === undefined) return 'not run';
  return reason === null ? 'holds' : '—';
}

function exceptionsOf(series: string, { checks }: KernelResult): string[] {
  const reasons = new Set(Object.values(checks).filter((reason) => reason !== null));
  return [...reasons].map((reason) => `— on ${series}: ${reason}.`);
}
