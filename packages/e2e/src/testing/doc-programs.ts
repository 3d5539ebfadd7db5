/** DocProgram is a program that is written in a document. */
export interface DocProgram {
  /** The line of the document where it begins, from 1. */
  readonly line: number;
  readonly source: string;
  /** Whether it can run here. The document says why it cannot. */
  readonly runs: boolean;
  /** What the document says that it prints, among other things. */
  readonly prints: readonly string[];
}

/**
 * docPrograms finds the TypeScript of a Markdown document. A block that imports begins a program; one that does not
 * continues the program before it, in a scope of its own. A block behind `<!-- not run: … -->` is checked alone. A block
 * of the language `text` behind a program is what it prints.
 */
export function docPrograms(markdown: string): DocProgram[] {
  const programs: { line: number; source: string; runs: boolean; prints: string[] }[] = [];
  const block = /^(<!-- not run: .+ -->\n\n)?```(ts|text)\n([^]*?)^```$/gm;
  for (const match of markdown.matchAll(block)) {
    const [, mark, language, source = ''] = match;
    const line = markdown.slice(0, match.index).split('\n').length;
    const last = programs.at(-1);
    if (language === 'text') {
      last?.prints.push(source);
    } else if (/^import /m.test(source) || last === undefined) {
      programs.push({ line, source, runs: mark === undefined, prints: [] });
    } else {
      last.source += `{\n${source}}\n`;
    }
  }
  // What imports nothing would be a script, without await.
  return programs.map(({ line, source, runs, prints }) => ({
    line,
    source: `${source}export {};\n`,
    runs,
    prints,
  }));
}
