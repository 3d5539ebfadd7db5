import { Command } from 'commander';
import { type Action, originOption } from './options.js';

/** watchCommand is `btfctl watch`. */
export function watchCommand(action: Action): Command {
  return originOption(
    new Command('watch')
      .description('tell which BTF objects are there, and which come and go, until Ctrl-C')
      .argument('[object...]', 'names or globs; default: all'),
  )
    .option('--new', 'leave out what is there already')
    .action(action);
}
