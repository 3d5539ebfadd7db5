import { printable } from '../output/safe-text.js';
import { cellWord, fittingText } from './compat-text.js';
import { groupFindings, type GroupedFinding } from './finding-groups.js';
import type { Cell } from './judge-all.js';
import { type CompatNeed, type CompatRelocation, isNotable, isUnfit } from './report.js';
import { kernelText, sourceText, verdictWord } from './words.js';

/** Names that are shown of one finding. */
const MOST_SHOWN = 4;

/**
 * compatMarkdown returns the results as Markdown of GitHub and GitLab, for comments in CI.
 *
 * @param rows the cells of each object.
 * @param all whether to show findings that fit.
 */
export function compatMarkdown(rows: readonly (readonly Cell[])[], all: boolean): string {
  const kernels = rows[0] ?? [];
  const report = rows.flat().find((cell) => cell.report !== null)?.report;
  const headings = kernels.map(({ kernel: { label } }, column) => {
    const one = rows.map((row) => row[column]?.report).find((cell) => cell !== null);
    return code(kernelText(label, one));
  });
  const table = rows.map((row) => [code(row[0]?.file.name ?? ''), ...row.map(cellText)]);
  return [
    `${escaped(fittingText(rows))}${report == null ? '' : `, as ${report.loaderRelease} loads them`}.\n\n`,
    tableRow(['object', ...headings]),
    tableRow(['object', ...headings].map(() => '---')),
    ...table.map(tableRow),
    ...rows.map((row) => rowMarkdown(row, all)),
  ].join('');
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |\n`;
}

function cellText(cell: Cell): string {
  const word = cellWord(cell);
  return cell.report === null || isUnfit(cell.report.verdict) ? `**${word}**` : word;
}

function rowMarkdown(row: readonly Cell[], all: boolean): string {
  const reports = row.flatMap(({ kernel: { label }, report }) => (report === null ? [] : [{ label, report }]));
  const isWanted = (finding: CompatRelocation | CompatNeed): boolean =>
    all ? isNotable(finding) : isUnfit(finding.verdict);
  const findings = groupFindings(reports, isWanted);
  if (findings.length === 0) return '';
  const items = findings.map((one) => findingMarkdown(one, row.length));
  return `\n### ${code(row[0]?.file.name ?? '')}\n\n${items.join('')}`;
}

function findingMarkdown(group: GroupedFinding, kernels: number): string {
  const where =
    kernels === 1 ? '' : group.kernels.length === kernels ? ' on every kernel' : ` on ${group.kernels.map(code).join(', ')}`;
  const lines = [
    `**${verdictWord(group.verdict)}**${where}: ${group.kind} ${some(group.subjects)}${group.reason === '' ? '' : `: ${escaped(group.reason)}`}`,
  ];
  if (group.local !== '') lines.push(`object: ${code(group.local)}`);
  if (group.target !== '') lines.push(`kernel: ${code(group.target)}`);
  if (group.near.length > 0) lines.push(`similar names in the kernel: ${group.near.map(code).join(', ')}`);
  if (group.source !== null) {
    const text = group.source.text.trim();
    lines.push(`${code(sourceText(group.source, false))}${text === '' ? '' : ` ${code(text)}`}`);
  }
  if (group.places.length > 0) lines.push(`in ${some(group.places)}`);
  // Two spaces at the end of a line break it.
  return `- ${lines.join('  \n  ')}\n`;
}

function some(texts: readonly string[]): string {
  const more = texts.length > MOST_SHOWN ? ` and ${texts.length - MOST_SHOWN} more` : '';
  return `${texts.slice(0, MOST_SHOWN).map(code).join(', ')}${more}`;
}

/** Writes a text as code. Its fence is longer than each row of backticks in it. */
function code(text: string): string {
  const plain = printable(text);
  const longest = Math.max(0, ...(plain.match(/`+/g) ?? []).map((row) => row.length));
  if (longest === 0) return `\`${plain}\``;
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${plain} ${fence}`;
}

/** Escapes the characters that mean something in Markdown or HTML. "_" within a word means nothing. */
function escaped(text: string): string {
  return printable(text).replaceAll(/[\\`*[\]<>&|#@~]|(?<![\w])_|_(?![\w])/g, String.raw`\$&`);
}
