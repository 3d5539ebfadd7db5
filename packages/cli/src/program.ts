import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { checkCommand } from './grammar/check.js';
import { compatCommand } from './grammar/compat.js';
import { checkFormat, commandName, formatsHelp, helpHint } from './grammar/command-formats.js';
import { completionCommand } from './grammar/completion.js';
import { contextCommand } from './grammar/context.js';
import { diffCommand } from './grammar/diff.js';
import { dumpCommand } from './grammar/dump.js';
import { examplesHelp } from './grammar/examples.js';
import { findCommand } from './grammar/find.js';
import { fleetCommand } from './grammar/fleet.js';
import { addGlobalOptions } from './grammar/global-options.js';
import { headerCommand } from './grammar/header.js';
import { helpCommand } from './grammar/help.js';
import { holdCommand } from './grammar/hold.js';
import { infoCommand } from './grammar/info.js';
import { layoutCommand } from './grammar/layout.js';
import { listCommand } from './grammar/list.js';
import { loadCommand } from './grammar/load.js';
import { memberCommand } from './grammar/member.js';
import { refuseRepeats } from './grammar/single-values.js';
import { valueCommand } from './grammar/value.js';
import { versionCommand } from './grammar/version.js';
import { watchCommand } from './grammar/watch.js';
import type { Output } from './output/output.js';
import { messageText } from './output/safe-text.js';
import { makeRun, type Run, type RunOptions } from './session/run.js';

const VERSION = readVersion();

/**
 * makeProgram returns the program `btfctl` with its commands.
 *
 * @param help receives the help texts and the version.
 * @param args the arguments, if the program needs only the command in them. Default: all commands.
 */
export function makeProgram(options: RunOptions, help: Output, args: readonly string[] = []): Command {
  const program = new Command('btfctl')
    .description('Show the BTF (BPF Type Format) of Linux kernels, from nodes with btfd and from files.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .showHelpAfterError('hint: `btfctl --help` lists the commands and options')
    .configureOutput({
      writeOut: (text) => void help.write(text),
      writeErr: (text) => options.io.stderr.write(text),
      outputError: (text, write) => write(`${messageText(text.replace(/^error: /, 'btfctl: ').trimEnd())}\n`),
    })
    .exitOverride()
    .hook('preAction', checkFormat);
  addGlobalOptions(program);
  const run = makeRun(program, options);
  for (const command of commandsFor(program, run, args)) {
    program.addCommand(command);
    inherit(command, program);
    addEndOfHelp(command);
  }
  forEach(program, refuseRepeats);
  return program;
}

/** Returns the command that arguments name, or all commands, as for help and a misspelt command. */
function commandsFor(program: Command, run: Run, args: readonly string[]): readonly Command[] {
  const commands = new Map(Object.entries(commandsOf(program, run)));
  const name = commandIn(program, args);
  // Help is about any command.
  const wanted = name === null || name === 'help' ? undefined : commands.get(name);
  return (wanted === undefined ? [...commands.values()] : [wanted]).map((make) => make());
}

/** Returns the first argument that is neither an option nor its value; null if an option is in another form. */
function commandIn(program: Command, args: readonly string[]): string | null {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (!word.startsWith('-')) return word;
    const option = program.options.find(({ short, long }) => short === word || long === word);
    if (option === undefined) return null;
    if (option.required) at += 1;
  }
  return null;
}

/** Joins the grammar of each command to its action, which is only loaded when the command runs. */
function commandsOf(program: Command, run: Run): Readonly<Record<string, () => Command>> {
  return {
    list: () => listCommand(run(async () => (await import('./command/list.js')).list)),
    dump: () => dumpCommand(run(async () => (await import('./command/dump.js')).dump)),
    header: () => headerCommand(run(async () => (await import('./command/header.js')).header)),
    layout: () => layoutCommand(run(async () => (await import('./command/layout.js')).layout)),
    find: () => findCommand(run(async () => (await import('./command/find.js')).find)),
    member: () => memberCommand(run(async () => (await import('./command/member.js')).member)),
    value: () => valueCommand(run(async () => (await import('./command/value.js')).value)),
    diff: () => diffCommand(run(async () => (await import('./command/diff.js')).diff)),
    load: () => loadCommand(run(async () => (await import('./command/load.js')).load)),
    check: () => checkCommand(run(async () => (await import('./command/check.js')).check)),
    compat: () => compatCommand(run(async () => (await import('./command/compat.js')).compat)),
    hold: () => holdCommand(run(async () => (await import('./command/hold.js')).hold)),
    watch: () => watchCommand(run(async () => (await import('./command/watch.js')).watch)),
    info: () => infoCommand(run(async () => (await import('./command/info.js')).info)),
    fleet: () =>
      fleetCommand({
        kernels: run(async () => (await import('./command/fleet-kernels.js')).fleetKernels),
        compat: run(async () => (await import('./command/fleet-compat.js')).fleetCompat),
        member: run(async () => (await import('./command/fleet-member.js')).fleetMember),
        find: run(async () => (await import('./command/fleet-find.js')).fleetFind),
        diff: run(async () => (await import('./command/fleet-diff.js')).fleetDiff),
        watch: run(async () => (await import('./command/fleet-watch.js')).fleetWatch),
        register: run(async () => (await import('./command/fleet-register.js')).fleetRegister),
      }),
    context: () =>
      contextCommand({
        list: run(async () => (await import('./command/context.js')).list),
        use: run(async () => (await import('./command/context.js')).use),
        set: run(async () => (await import('./command/context.js')).set),
        remove: run(async () => (await import('./command/context.js')).remove),
      }),
    completion: () =>
      completionCommand(run(async () => (await import('./command/completion.js')).completion)),
    version: () => versionCommand(run(async () => (await import('./command/version.js')).version(VERSION))),
    help: () => helpCommand(program),
  };
}

/** The hints of commands whose help says less than these. */
const HINTS: Readonly<Record<string, string>> = {
  hold: 'put -- before the command and its options: `btfctl hold OBJECT -- COMMAND`',
};

function inherit(command: Command, parent: Command): void {
  command
    .copyInheritedSettings(parent)
    .helpOption('-h, --help', 'print help')
    // In place of `context rename`, `context remove` would do harm.
    .showSuggestionAfterError(command.name() !== 'context')
    .showHelpAfterError(`hint: ${HINTS[command.name()] ?? helpHint(command)}`);
  for (const child of command.commands) inherit(child, command);
}

/** Calls a function with a command and all below it. */
function forEach(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEach(child, visit);
}

/** Describes `-o` and shows examples at the end of the help of a command, but not of `context`, which only has commands of its own. */
function addEndOfHelp(command: Command): void {
  if (command.commands.length === 0) {
    command.addHelpText('after', formatsHelp(command) + examplesHelp(commandName(command)));
  }
  for (const child of command.commands) addEndOfHelp(child);
}

function readVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new Error('package.json has no version');
}
