import type { Command } from 'commander';
import type { GlobalOptions } from './global-options.js';
import { COMMAND_FORMATS } from './command-formats.js';

/** checkFormat ends a command before it does anything where it has no answer in the format that `-o` says. */
export function checkFormat(program: Command, command: Command): void {
  const { output } = program.opts<GlobalOptions>();
  const name = commandName(command);
  const formats = COMMAND_FORMATS[name]?.formats ?? [];
  if (formats.includes(output)) return;
  command.error(`error: ${name} has no -o ${output}, only ${formats.join(', ')}`);
}

/** formatsHelp tells in the help of a command what `-o` can say to it. */
export function formatsHelp(command: Command): string {
  const { formats = [] } = COMMAND_FORMATS[commandName(command)] ?? {};
  return `\n-o is ${formats.join(', ')}; \`btfctl --help\` tells the options that every command takes.`;
}

/** commandName is what is typed for a command: `list`, `context use`. */
export function commandName(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${parent.name()} ${command.name()}` : command.name();
}
