import { Command } from 'commander';
import { checkFormat, formatsHelp } from './grammar/check-format.js';
import { checkCommand } from './grammar/check.js';
import { completionCommand } from './grammar/completion.js';
import { contextCommand } from './grammar/context.js';
import { diffCommand } from './grammar/diff.js';
import { dumpCommand } from './grammar/dump.js';
import { findCommand } from './grammar/find.js';
import { headerCommand } from './grammar/header.js';
import { holdCommand } from './grammar/hold.js';
import { infoCommand } from './grammar/info.js';
import { layoutCommand } from './grammar/layout.js';
import { listCommand } from './grammar/list.js';
import { loadCommand } from './grammar/load.js';
import { memberCommand } from './grammar/member.js';
import { watchCommand } from './grammar/watch.js';
import { versionCommand } from './grammar/version.js';
import { addGlobalOptions } from './grammar/global-options.js';
import type { Output } from './output/output.js';
import { makeRun, type Run, type RunOptions } from './session/run.js';
import { VERSION } from './version.js';

const COMMANDS: readonly ((run: Run, program: Command) => Command)[] = [
  listCommand,
  dumpCommand,
  headerCommand,
  layoutCommand,
  findCommand,
  memberCommand,
  diffCommand,
  loadCommand,
  checkCommand,
  holdCommand,
  watchCommand,
  infoCommand,
  contextCommand,
  completionCommand,
  versionCommand,
];

/**
 * makeProgram puts the commands of `btfctl` together.
 *
 * @param help where help and the version are printed.
 */
export function makeProgram(options: RunOptions, help: Output): Command {
  const program = new Command('btfctl')
    .description('The BTF (BPF Type Format) of Linux kernels: of nodes with btfd, and of files.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('hint: --help tells what can be written here')
    .configureOutput({
      writeOut: (text) => void help.write(text),
      writeErr: (text) => options.io.stderr.write(text.replace(/^error: /, 'btfctl: ')),
    })
    .exitOverride()
    .hook('preAction', checkFormat);
  addGlobalOptions(program);
  const run = makeRun(program, options);
  for (const make of COMMANDS) {
    const command = make(run, program);
    inherit(command, program);
    program.addCommand(command);
    addFormatsHelp(command);
  }
  return program;
}

/** To commands that do something themselves. */
function addFormatsHelp(command: Command): void {
  if (command.commands.length === 0) command.addHelpText('after', formatsHelp(command));
  for (const child of command.commands) addFormatsHelp(child);
}

function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent).helpOption('-h, --help', 'print help');
  for (const child of command.commands) inherit(child, command);
}
