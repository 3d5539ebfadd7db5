const BEGIN = '<!-- made by `pnpm generate:docs`; edits are lost -->';
const END = '<!-- end of what is made -->';

/**
 * withMadeBlock puts Markdown between the two marks of a document. Returns the new document.
 *
 * @throws Error if the document does not have each mark once.
 */
export function withMadeBlock(document: string, markdown: string): string {
  const parts = document.split(BEGIN);
  const [before, rest] = parts;
  const ends = rest?.split(END);
  if (before === undefined || parts.length !== 2 || ends?.length !== 2) {
    throw new Error(`a document must have one ${BEGIN} … ${END}`);
  }
  return `${before}${BEGIN}\n\n${markdown.trim()}\n\n${END}${ends[1]}`;
}

/** markdownTable returns a table in Markdown. Prettier aligns its columns. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
