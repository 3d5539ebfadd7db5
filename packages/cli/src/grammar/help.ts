import { Command } from 'commander';

/** helpCommand is `btfctl help`, for the commands of a program and for those below them. */
export function helpCommand(program: Command): Command {
  return new Command('help')
    .description('print help for a command')
    .argument('[command...]', 'the words of a command, such as `context set`')
    .action(async (words: readonly string[]) => {
      let command = program;
      for (const word of words) {
        const child = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
        if (child === undefined) return refuse(program, command, words);
        command = child;
      }
      // It ends the program as --help does, so that a full disk is an error.
      command.help();
    });
}

/** Ends the program with the error for words that are not a command. */
async function refuse(program: Command, command: Command, words: readonly string[]): Promise<void> {
  if (command.commands.length === 0) {
    command.error(`error: ${command.name()} has no commands of its own`);
  }
  // These are the words of no command, so that nothing runs, and the error suggests a similar one.
  await program.parseAsync(words, { from: 'user' });
}
