import { printable, printableText } from './safe-text.js';

/** markdownTable returns a table of Markdown. The cells are Markdown too. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [headings, headings.map(() => '---'), ...rows].map(tableRow).join('');
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |\n`;
}

/** code writes a text as code. Its fence is longer than each row of backticks in it. */
export function code(text: string): string {
  const plain = printable(text);
  const longest = Math.max(0, ...(plain.match(/`+/g) ?? []).map((row) => row.length));
  if (longest === 0) return `\`${plain}\``;
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${plain} ${fence}`;
}

/** escaped escapes the characters that mean something in Markdown or HTML. "_" within a word means nothing. */
export function escaped(text: string): string {
  return printable(text).replaceAll(/[\\`*[\]<>&|#@~]|(?<![\w])_|_(?![\w])/g, String.raw`\$&`);
}

/** codeBlock writes a text as a block of code. Its fence is longer than each row of backticks in it. */
export function codeBlock(language: string, text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((row) => row.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${printableText(text)}${fence}\n`;
}
