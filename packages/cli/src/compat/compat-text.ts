import type { Colors } from '../output/colors.js';
import { printable } from '../output/safe-text.js';
import { type Column, formatTable } from '../output/table.js';
import { groupFindings } from './finding-groups.js';
import { findingText, wrapped } from './finding-text.js';
import type { Cell, Row } from './judge-all.js';
import { cellWord, columnsOf, type KernelColumn, sectionsOf, totalText } from './matrix.js';
import { type CompatFinding, type CompatReport, isNotable, isUnfit } from './report.js';
import { countsText, kernelText, loaderText, overallWord, paintVerdict } from './words.js';

/** CompatTextOptions are the options of {@link compatText}. */
export interface CompatTextOptions {
  readonly colors: Colors;
  /** Columns of the terminal; null for no limit. */
  readonly width: number | null;
  readonly wide: boolean;
  /** Whether to show findings that fit. */
  readonly all: boolean;
}

/** compatText returns the results for people. */
export function compatText(rows: readonly Row[], options: CompatTextOptions): string {
  const [cell, ...others] = rows.flatMap(({ cells }) => cells);
  if (cell === undefined) return '';
  if (others.length > 0) return matrixText(rows, options);
  return cell.report === null ? '' : singleText(cell, cell.report, options);
}

function singleText({ file, kernel }: Cell, report: CompatReport, options: CompatTextOptions): string {
  const { colors, all, width } = options;
  const verdict = paintVerdict(overallWord(report.verdict), colors);
  const where = printable(kernelText(kernel.label, report));
  const lines = [
    `${colors.strong(printable(file.name))}  ${where}, as ${loaderText(report)} loads it: ${verdict}`,
    ...wrapped(countsText(report), width, '  '),
  ];
  if (report.notJudged.length > 0) {
    const text = printable(`BTF does not say ${report.notJudged.join('; ')}`);
    lines.push(...wrapped(text, width, '  ').map((line) => colors.faint(line)));
  }
  const findings = groupFindings([{ label: kernel.label, report }], all ? () => true : isNotable);
  return (
    lines.map((line) => `${line}\n`).join('') +
    findings.map((one) => findingText(one, { ...options, kernels: 1 })).join('')
  );
}

function matrixText(rows: readonly Row[], options: CompatTextOptions): string {
  const kernels = columnsOf(rows);
  const hasMore = options.wide && kernels.some(({ label, text }) => text !== label);
  const isLong = hasMore || !fitsWidth(rows, kernels, options.width);
  const labels = kernels.map(({ label }, index) => (isLong ? `K${index + 1}` : label));
  const legend = isLong
    ? kernels.map(({ text }, index) => `K${index + 1}  ${printable(text)}\n`).join('')
    : '';
  const { colors } = options;
  const color = (text: string): string => paintVerdict(text, colors);
  const columns: Column[] = [
    { heading: 'OBJECT', shrinks: true, color: colors.name },
    ...labels.map((heading) => ({ heading, shrinks: true, color })),
  ];
  const table = rows.map(({ file, cells }) => [file.name, ...cells.map(cellWord)]);
  return [
    legend === '' ? '' : `${legend}\n`,
    formatTable(columns, table, options),
    `${totalText(rows)}\n`,
    ...sectionsOf(rows, (row) => rowText(row, labels, options)).map(
      ({ names, text }) =>
        `\n${wrapped(names.map(printable).join(', '), options.width, '').map(colors.strong).join('\n')}\n${text}`,
    ),
  ].join('');
}

const GAP = 2;
const SHORTEST = 'unknown'.length;

function fitsWidth(rows: readonly Row[], kernels: readonly KernelColumn[], width: number | null): boolean {
  if (width === null) return true;
  const names = rows.reduce((most, { file }) => Math.max(most, file.name.length), 0);
  return kernels.reduce((sum, { label }) => sum + GAP + Math.max(SHORTEST, label.length), names) <= width;
}

function rowText({ cells }: Row, labels: readonly string[], options: CompatTextOptions): string {
  const { wide, all } = options;
  const reports = cells.flatMap(({ report }, column) =>
    report === null ? [] : [{ label: labels[column] ?? '', report }],
  );
  const isWanted = (finding: CompatFinding): boolean =>
    all || (wide ? isNotable(finding) : isUnfit(finding.verdict));
  return groupFindings(reports, isWanted)
    .map((one) => findingText(one, { ...options, kernels: cells.length }))
    .join('');
}
