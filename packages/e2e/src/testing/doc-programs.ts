/** DocProgram is a program in a document. */
export interface DocProgram {
  /** The line of the document on which it begins, from 1. */
  readonly line: number;
  readonly source: string;
  /** Whether it can run here. If it cannot, the document says why. */
  readonly runs: boolean;
  /** The parts of its output that the document shows. */
  readonly prints: readonly string[];
}

/**
 * docPrograms returns the TypeScript programs of a Markdown document. A block with an import begins a program. A block
 * without one continues the previous program in a new scope. A block after `<!-- not run: … -->` is only
 * type-checked. A block of the language `text` after a program is its output.
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
  // A program without imports would be a script, which cannot use await.
  return programs.map(({ line, source, runs, prints }) => ({
    line,
    source: `${source}export {};\n`,
    runs,
    prints,
  }));
}
