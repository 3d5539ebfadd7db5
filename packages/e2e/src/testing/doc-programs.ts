/** DocProgram is a program in a document. */
export interface DocProgram {
  /** The line of the document where it starts, from 1. */
  readonly line: number;
  readonly source: string;
  /** Whether it can run here. If not, the document says why. */
  readonly runs: boolean;
  /** Its output according to the document. The program may print more. */
  readonly prints: readonly string[];
}

/**
 * docPrograms finds the TypeScript in a Markdown document. A block with imports starts a program. A block without
 * imports continues the previous program, in its own scope. A block after `<!-- not run: … -->` is only type-checked. A
 * block of the language `text` after a program is its output.
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
  // Without an import or export it would be a script, which cannot await.
  return programs.map(({ line, source, runs, prints }) => ({
    line,
    source: `${source}export {};\n`,
    runs,
    prints,
  }));
}
