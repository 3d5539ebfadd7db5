import type { Command } from 'commander';
import { FORMATS, type Format } from '../output/formats.js';
import type { GlobalOptions } from './global-options.js';

/** CommandFormats are what `-o` can say to a command. */
export interface CommandFormats {
  readonly formats: readonly Format[];
  /** The file in `schema/` that describes its JSON; null where it has none. */
  readonly schema: string | null;
}

/** Of what is text, there is no other form. */
const TEXT = { formats: ['table', 'wide'], schema: null } as const satisfies CommandFormats;

const every = (schema: string): CommandFormats => ({ formats: FORMATS, schema: `${schema}.schema.json` });

/** COMMAND_FORMATS are the {@link CommandFormats} of every command; the documentation has the same table. */
export const COMMAND_FORMATS: Readonly<Record<string, CommandFormats>> = {
  list: every('list'),
  dump: every('dump'),
  header: TEXT,
  layout: every('layout'),
  find: every('find'),
  member: every('member'),
  diff: every('diff'),
  load: every('load'),
  check: every('check'),
  hold: TEXT,
  watch: every('watch-event'),
  info: every('info'),
  'context list': every('context-list'),
  'context use': TEXT,
  'context set': TEXT,
  'context remove': TEXT,
  completion: TEXT,
  version: every('version'),
};

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
