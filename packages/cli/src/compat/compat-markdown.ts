import { code, escaped, markdownTable } from '../output/markdown.js';
import { someOf } from '../output/some-of.js';
import { groupFindings, type GroupedFinding, type OnKernel } from './finding-groups.js';
import type { Cell, Row } from './judge-all.js';
import { cellWord, columnsOf, sectionsOf, totalText } from './matrix.js';
import { type CompatFinding, isNotable, isUnfit } from './report.js';
import { loaderText, sourceText, verdictWord } from './words.js';

/** Names that are shown of one finding. */
const MOST_SHOWN = 4;

/**
 * compatMarkdown returns the results as Markdown of GitHub and GitLab, for comments in CI.
 *
 * @param errors the errors, in words.
 * @param all whether to show findings that fit.
 */
export function compatMarkdown(rows: readonly Row[], errors: readonly string[], all: boolean): string {
  const report = rows.flatMap(({ cells }) => cells).find((cell) => cell.report !== null)?.report;
  const headings = ['object', ...columnsOf(rows).map(({ text }) => code(text))];
  const table = rows.map(({ file, cells }) => [code(file.name), ...cells.map(cellText)]);
  return [
    `${totalText(rows)}${report == null ? '' : `, as ${loaderText(report)} loads them`}.\n`,
    ...(rows.length === 0 ? [] : ['\n', markdownTable(headings, table)]),
    ...sectionsOf(rows, (row) => rowMarkdown(row, all)).map(
      ({ names, text }) => `\n### ${names.map(code).join(', ')}\n\n${text}`,
    ),
    errors.length === 0 ? '' : `\n### Errors\n\n${errors.map((error) => `- ${escaped(error)}\n`).join('')}`,
  ].join('');
}

function cellText(cell: Cell): string {
  const word = cellWord(cell);
  return cell.report === null || isUnfit(cell.report.verdict) ? `**${word}**` : word;
}

function rowMarkdown({ cells }: Row, all: boolean): string {
  const reports = cells.flatMap(({ kernel: { label }, report }) =>
    report === null ? [] : [{ label, report }],
  );
  return findingsMarkdown(reports, cells.length, all);
}

/**
 * findingsMarkdown returns the findings of an object as a list.
 *
 * @param kernels how many kernels there are.
 * @param all whether to include findings that fit.
 */
export function findingsMarkdown(reports: readonly OnKernel[], kernels: number, all: boolean): string {
  const isWanted = (finding: CompatFinding): boolean => (all ? isNotable(finding) : isUnfit(finding.verdict));
  return groupFindings(reports, isWanted)
    .map((one) => findingMarkdown(one, kernels))
    .join('');
}

function findingMarkdown(group: GroupedFinding, kernels: number): string {
  const where =
    kernels === 1
      ? ''
      : group.kernels.length === kernels
        ? ' on every kernel'
        : ` on ${group.kernels.map(code).join(', ')}`;
  const lines = [
    `**${verdictWord(group.verdict)}**${where}: ${group.kind} ${some(group.subjects)}${group.reason === '' ? '' : `: ${escaped(group.reason)}`}`,
  ];
  if (group.local !== '') lines.push(`object: ${code(group.local)}`);
  if (group.target !== '') lines.push(`kernel: ${code(group.target)}`);
  if (group.near.length > 0) lines.push(`similar names in the kernel: ${group.near.map(code).join(', ')}`);
  if (group.source !== null) {
    const text = group.source.text.trim().replaceAll(/\s+/g, ' ');
    lines.push(`${code(sourceText(group.source, false))}${text === '' ? '' : ` ${code(text)}`}`);
  }
  if (group.places.length > 0) lines.push(`in ${some(group.places)}`);
  // Two spaces at the end of a line break it.
  return `- ${lines.join('  \n  ')}\n`;
}

function some(texts: readonly string[]): string {
  return someOf(texts.map(code), MOST_SHOWN);
}
