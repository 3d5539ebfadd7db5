/** DocProgram is a program that is written in a document. */
export interface DocProgram {
  /** The line of the document where it begins, from 1. */
  readonly line: number;
  readonly source: string;
  /** Whether it can run here. The document says why it cannot. */
  readonly runs: boolean;
}

/**
 * docPrograms finds the TypeScript of a Markdown document. A block that imports begins a program; one that does not
 * continues the program before it, in a scope of its own. A block behind `<!-- not run: … -->` is checked alone.
 */
export function docPrograms(markdown: string): DocProgram[] {
  const programs: { line: number; source: string; runs: boolean }[] = [];
  const block = /^(<!-- not run: .+ -->\n\n)?```ts\n([^]*?)^```$/gm;
  for (const match of markdown.matchAll(block)) {
    const [, mark, source = ''] = match;
    const line = markdown.slice(0, match.index).split('\n').length;
    const last = programs.at(-1);
    if (/^import /m.test(source) || last === undefined) {
      programs.push({ line, source, runs: mark === undefined });
    } else {
      last.source += `{\n${source}}\n`;
    }
  }
  // What imports nothing would be a script, without await.
  return programs.map(({ line, source, runs }) => ({ line, source: `${source}export {};\n`, runs }));
}
