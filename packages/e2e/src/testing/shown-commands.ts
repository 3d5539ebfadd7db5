/** ShownCommand is a command in a document, and what the document says that it prints. */
export interface ShownCommand {
  readonly command: string;
  readonly output: string;
}

/**
 * shownCommands finds the commands of a Markdown document: in blocks without a language, lines that begin with `$ `, and
 * those that they continue on with a `\` at their end. What follows up to the next command is its output.
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
