import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { checkCommand } from './grammar/check.js';
import { checkFormat, commandName, formatsHelp } from './grammar/command-formats.js';
import { completionCommand } from './grammar/completion.js';
import { contextCommand } from './grammar/context.js';
import { diffCommand } from './grammar/diff.js';
import { dumpCommand } from './grammar/dump.js';
import { findCommand } from './grammar/find.js';
import { addGlobalOptions } from './grammar/global-options.js';
import { headerCommand } from './grammar/header.js';
import { holdCommand } from './grammar/hold.js';
import { infoCommand } from './grammar/info.js';
import { layoutCommand } from './grammar/layout.js';
import { listCommand } from './grammar/list.js';
import { loadCommand } from './grammar/load.js';
import { memberCommand } from './grammar/member.js';
import { valueCommand } from './grammar/value.js';
import { versionCommand } from './grammar/version.js';
import { watchCommand } from './grammar/watch.js';
import type { Output } from './output/output.js';
import { makeRun, type Run, type RunOptions } from './session/run.js';

const VERSION = readVersion();

/**
 * makeProgram returns the program `btfctl` with all of its commands.
 *
 * @param help receives the help texts and the version.
 */
export function makeProgram(options: RunOptions, help: Output): Command {
  const program = new Command('btfctl')
    .description('Show the BTF (BPF Type Format) of Linux kernels, from nodes with btfd and from files.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('hint: `btfctl --help` lists the commands and options')
    .configureOutput({
      writeOut: (text) => void help.write(text),
      writeErr: (text) => options.io.stderr.write(text.replace(/^error: /, 'btfctl: ')),
    })
    .exitOverride()
    .hook('preAction', checkFormat);
  addGlobalOptions(program);
  const run = makeRun(program, options);
  for (const command of commandsOf(program, run)) {
    program.addCommand(command);
    inherit(command, program);
    addFormatsHelp(command);
  }
  return program;
}

/** Joins the grammar of each command to its action, which is only loaded when the command runs. */
function commandsOf(program: Command, run: Run): readonly Command[] {
  return [
    listCommand(run(async () => (await import('./command/list.js')).list)),
    dumpCommand(run(async () => (await import('./command/dump.js')).dump)),
    headerCommand(run(async () => (await import('./command/header.js')).header)),
    layoutCommand(run(async () => (await import('./command/layout.js')).layout)),
    findCommand(run(async () => (await import('./command/find.js')).find)),
    memberCommand(run(async () => (await import('./command/member.js')).member)),
    valueCommand(run(async () => (await import('./command/value.js')).value)),
    diffCommand(run(async () => (await import('./command/diff.js')).diff)),
    loadCommand(run(async () => (await import('./command/load.js')).load)),
    checkCommand(run(async () => (await import('./command/check.js')).check)),
    holdCommand(run(async () => (await import('./command/hold.js')).hold)),
    watchCommand(run(async () => (await import('./command/watch.js')).watch)),
    infoCommand(run(async () => (await import('./command/info.js')).info)),
    contextCommand({
      list: run(async () => (await import('./command/context.js')).list),
      use: run(async () => (await import('./command/context.js')).use),
      set: run(async () => (await import('./command/context.js')).set),
      remove: run(async () => (await import('./command/context.js')).remove),
    }),
    completionCommand(run(async () => (await import('./command/completion.js')).completion(program))),
    versionCommand(run(async () => (await import('./command/version.js')).version(VERSION))),
  ];
}

function inherit(command: Command, parent: Command): void {
  const parts = command.commands.length > 0 ? 'commands' : 'arguments and options';
  command
    .copyInheritedSettings(parent)
    .helpOption('-h, --help', 'print help')
    .showHelpAfterError(`hint: \`btfctl ${commandName(command)} --help\` lists its ${parts}`);
  for (const child of command.commands) inherit(child, command);
}

/** Describes `-o` in the help of a command, but not of `context`, which only has commands of its own. */
function addFormatsHelp(command: Command): void {
  if (command.commands.length === 0) command.addHelpText('after', formatsHelp(command));
  for (const child of command.commands) addFormatsHelp(child);
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new Error('package.json has no version');
}
