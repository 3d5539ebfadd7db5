import { Command } from 'commander';
import type { Action } from './options.js';

/** holdCommand is `btfctl hold`. */
export function holdCommand(action: Action): Command {
  return new Command('hold')
    .description('keep an object open while a command runs; exits with the exit status of the command')
    .argument('<object>', 'a BTF id, or the name of an object of the kernel')
    .argument('<command...>', 'the command, after --; BTF_ID in its environment is the id')
    .usage('[options] <object> -- <command...>')
    .action(action);
}
