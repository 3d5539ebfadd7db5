import type { Colors } from '../output/colors.js';
import { printable } from '../output/safe-text.js';
import { type Column, formatTable } from '../output/table.js';
import { groupFindings } from './finding-groups.js';
import { findingText } from './finding-text.js';
import type { Cell } from './judge-all.js';
import { type CompatNeed, type CompatRelocation, type CompatReport, isNotable, isUnfit } from './report.js';
import { counted, countsText, kernelText, overallWord, paintVerdict } from './words.js';

/** CompatTextOptions are the options of {@link compatText}. */
export interface CompatTextOptions {
  readonly colors: Colors;
  /** Columns of the terminal; null for no limit. */
  readonly width: number | null;
  readonly wide: boolean;
  /** Whether to show findings that fit. */
  readonly all: boolean;
}

/** compatText returns the results for people. @param rows the cells of each object. */
export function compatText(rows: readonly (readonly Cell[])[], options: CompatTextOptions): string {
  const [[cell, ...others] = [], ...more] = rows;
  if (cell === undefined) return '';
  if (others.length > 0 || more.length > 0) return matrixText(rows, options);
  return cell.report === null ? '' : singleText(cell, cell.report, options);
}

function singleText({ file, kernel }: Cell, report: CompatReport, options: CompatTextOptions): string {
  const { colors, all } = options;
  const verdict = paintVerdict(overallWord(report.verdict), colors);
  const where = printable(kernelText(kernel.label, report));
  const lines = [
    `${colors.strong(printable(file.name))}  ${where}, as ${report.loaderRelease} loads it: ${verdict}`,
    `  ${countsText(report)}`,
  ];
  if (report.notJudged.length > 0) lines.push(`  ${colors.faint(printable(`BTF does not say ${report.notJudged.join('; ')}`))}`);
  const findings = groupFindings([{ label: kernel.label, report }], all ? () => true : isNotable);
  return lines.map((line) => `${line}\n`).join('') + findings.map((one) => findingText(one, { ...options, kernels: 1 })).join('');
}

function matrixText(rows: readonly (readonly Cell[])[], options: CompatTextOptions): string {
  const kernels = kernelsOf(rows);
  const isLong = options.wide || !fitsWidth(rows, kernels, options.width);
  const labels = kernels.map(({ label }, index) => (isLong ? `K${index + 1}` : label));
  const legend = isLong ? kernels.map(({ text }, index) => `K${index + 1}  ${printable(text)}\n`).join('') : '';
  const { colors } = options;
  const color = (text: string): string => paintVerdict(text, colors);
  const columns: Column[] = [
    { heading: 'OBJECT', shrinks: true, color: colors.name },
    ...labels.map((heading) => ({ heading, shrinks: true, color })),
  ];
  const table = rows.map((row) => [row[0]?.file.name ?? '', ...row.map(cellWord)]);
  return [
    legend === '' ? '' : `${legend}\n`,
    formatTable(columns, table, options),
    `${fittingText(rows)}\n`,
    ...rows.map((row) => rowText(row, labels, options)),
  ].join('');
}

interface KernelColumn {
  readonly label: string;
  /** With its release. */
  readonly text: string;
}

function kernelsOf(rows: readonly (readonly Cell[])[]): KernelColumn[] {
  return (rows[0] ?? []).map(({ kernel: { label } }, column) => {
    const report = rows.map((row) => row[column]?.report).find((one) => one !== null);
    return { label, text: kernelText(label, report) };
  });
}

const GAP = 2;
const SHORTEST = 'unknown'.length;

function fitsWidth(rows: readonly (readonly Cell[])[], kernels: readonly KernelColumn[], width: number | null): boolean {
  if (width === null) return true;
  const names = Math.max(...rows.map((row) => row[0]?.file.name.length ?? 0));
  return kernels.reduce((sum, { label }) => sum + GAP + Math.max(SHORTEST, label.length), names) <= width;
}

/** cellWord returns the word for a result. */
export function cellWord({ report }: Cell): string {
  return report === null ? 'error' : overallWord(report.verdict);
}

/** fittingText counts the objects that fit. */
export function fittingText(rows: readonly (readonly Cell[])[]): string {
  const fitting = rows.filter((row) => row.every(({ report }) => report !== null && !isUnfit(report.verdict)));
  const kernels = rows[0]?.length ?? 0;
  const where = kernels === 1 ? 'the kernel' : `all ${kernels} kernels`;
  return rows.length === 1
    ? `${rows[0]?.[0]?.file.name ?? 'it'} ${fitting.length === 1 ? 'fits' : 'does not fit'} ${where}`
    : `${fitting.length} of ${counted(rows.length, 'object')} fit ${where}`;
}

function rowText(row: readonly Cell[], labels: readonly string[], options: CompatTextOptions): string {
  const { wide, all, colors } = options;
  const reports = row.flatMap(({ report }, column) =>
    report === null ? [] : [{ label: labels[column] ?? '', report }],
  );
  const isWanted = (finding: CompatRelocation | CompatNeed): boolean =>
    all || (wide ? isNotable(finding) : isUnfit(finding.verdict));
  const findings = groupFindings(reports, isWanted);
  if (findings.length === 0) return '';
  const name = colors.strong(printable(row[0]?.file.name ?? ''));
  return `\n${name}\n${findings.map((one) => findingText(one, { ...options, kernels: row.length })).join('')}`;
}
