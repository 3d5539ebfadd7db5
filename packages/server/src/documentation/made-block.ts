const BEGIN = '<!-- made by `pnpm generate:docs`; edits are lost -->';
const END = '<!-- end of what is made -->';

/**
 * withMadeBlock puts Markdown between the marks of a document that say that it is made.
 *
 * @throws Error if the document has not both marks, each once.
 */
export function withMadeBlock(document: string, markdown: string): string {
  const parts = document.split(BEGIN);
  const [before, rest] = parts;
  const ends = rest?.split(END);
  if (before === undefined || parts.length !== 2 || ends?.length !== 2) {
    throw new Error(`a document has one ${BEGIN} … ${END}`);
  }
  return `${before}${BEGIN}\n\n${markdown.trim()}\n\n${END}${ends[1]}`;
}
