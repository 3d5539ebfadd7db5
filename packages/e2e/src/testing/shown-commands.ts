/** ShownCommand is a command in a document, with its output in the document. */
export interface ShownCommand {
  readonly command: string;
  readonly output: string;
}

/**
 * shownCommands finds the commands in a Markdown document: in blocks without a language, lines that begin with `$ `, and
 * the lines after a `\` at their end. The lines up to the next command are the output.
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
