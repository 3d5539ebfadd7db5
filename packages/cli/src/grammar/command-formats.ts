import type { Command } from 'commander';
import { COMMON_FORMATS, type Format, FORMATS } from '../output/formats.js';
import type { GlobalOptions } from './global-options.js';

/** CommandFormats are the values of `-o` that a command takes. */
export interface CommandFormats {
  readonly formats: readonly Format[];
  /** The file in `schema/` that describes its JSON; null if it does not print JSON. */
  readonly schema: string | null;
}

/** The formats of a command that prints text only. */
const TEXT = { formats: ['table', 'wide'], schema: null } as const satisfies CommandFormats;

const every = (schema: string): CommandFormats => ({
  formats: COMMON_FORMATS,
  schema: `${schema}.schema.json`,
});

/** COMMAND_FORMATS are the {@link CommandFormats} of each command. The documentation has the same table. */
export const COMMAND_FORMATS: Readonly<Record<string, CommandFormats>> = {
  list: every('list'),
  dump: every('dump'),
  header: TEXT,
  layout: every('layout'),
  find: every('find'),
  member: every('member'),
  value: every('value'),
  diff: every('diff'),
  load: every('load'),
  check: every('check'),
  compat: { ...every('compat'), formats: FORMATS },
  hold: TEXT,
  watch: every('watch-event'),
  info: every('info'),
  'fleet kernels': { ...every('fleet-kernels'), formats: FORMATS },
  'fleet compat': { ...every('fleet-compat'), formats: FORMATS },
  'fleet member': { ...every('fleet-member'), formats: FORMATS },
  'fleet find': { ...every('fleet-find'), formats: FORMATS },
  'fleet diff': { ...every('fleet-diff'), formats: FORMATS },
  'fleet watch': every('fleet-watch-event'),
  'fleet register': TEXT,
  'context list': every('context-list'),
  'context use': TEXT,
  'context set': TEXT,
  'context remove': TEXT,
  completion: TEXT,
  version: every('version'),
  help: TEXT,
};

/** checkFormat ends a command before it does anything if it does not print the format of `-o`. */
export function checkFormat(program: Command, command: Command): void {
  const { output, null: isNull = false } = program.opts<GlobalOptions>();
  if (isNull && output !== 'name') command.error('error: -0 is for names: use -0 with -o name');
  const name = commandName(command);
  const formats = COMMAND_FORMATS[name]?.formats ?? [];
  if (formats.includes(output)) return;
  const supported = formats.map((format) => `-o ${format}`).join(' or ');
  command.error(`error: ${name} does not support -o ${output}: use ${supported}`);
}

/** formatsHelp returns the part of a command's help about `-o`. */
export function formatsHelp(command: Command): string {
  const { formats = [] } = COMMAND_FORMATS[commandName(command)] ?? {};
  return `\n-o takes ${formats.join(', ')}.\n\`btfctl --help\` lists the options that every command takes.`;
}

/** commandName returns the words that are typed for a command: `list`, `context use`. */
export function commandName(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${parent.name()} ${command.name()}` : command.name();
}

/** helpHint returns the hint for wrong arguments of a command. */
export function helpHint(command: Command): string {
  const parts = command.commands.length > 0 ? 'commands' : 'arguments and options';
  return `\`btfctl ${commandName(command)} --help\` lists its ${parts}`;
}
