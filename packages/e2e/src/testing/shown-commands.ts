/** ShownCommand is a command in a document, with the output that the document shows. */
export interface ShownCommand {
  readonly command: string;
  readonly output: string;
}

/**
 * shownCommands returns the commands of a Markdown document. In a block without a language, a line that begins with `$ `
 * is a command. A `\` at its end continues it on the next line. The lines up to the next command are its output.
 */
export function shownCommands(markdown: string): ShownCommand[] {
  return [...markdown.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, language, block = '']) =>
    (language === '' ? block : '')
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [command = ''] = /^(?:.*\\\n)*.*\n/.exec(text) ?? [];
        return { command: command.trimEnd(), output: text.slice(command.length) };
      }),
  );
}
