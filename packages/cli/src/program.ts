import { Command } from 'commander';
import { checkCommand } from './command/check.js';
import { completionCommand } from './command/completion.js';
import { contextCommand } from './command/context.js';
import { diffCommand } from './command/diff.js';
import { dumpCommand } from './command/dump.js';
import { findCommand } from './command/find.js';
import { headerCommand } from './command/header.js';
import { holdCommand } from './command/hold.js';
import { infoCommand } from './command/info.js';
import { layoutCommand } from './command/layout.js';
import { listCommand } from './command/list.js';
import { loadCommand } from './command/load.js';
import { memberCommand } from './command/member.js';
import { watchCommand } from './command/watch.js';
import { versionCommand } from './command/version.js';
import { addGlobalOptions } from './global-options.js';
import type { Output } from './output/output.js';
import { makeRun, type Run, type RunOptions } from './run.js';
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
    .exitOverride();
  addGlobalOptions(program);
  const run = makeRun(program, options);
  for (const make of COMMANDS) {
    const command = make(run, program);
    inherit(command, program);
    program.addCommand(command);
  }
  return program;
}

function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent).helpOption('-h, --help', 'print help');
  for (const child of command.commands) inherit(child, command);
}
