import { Command } from 'commander';
import type { Run } from '../session/run.js';
import { originOption } from './origin-option.js';

/** watchCommand is `btfctl watch`. */
export function watchCommand(run: Run): Command {
  return originOption(
    new Command('watch')
      .description('tell which BTF objects are there, and which come and go, until Ctrl-C')
      .argument('[object...]', 'names or globs; default: all'),
  )
    .option('--new', 'leave out what is there already')
    .action(run(async () => (await import('../command/watch.js')).watch));
}
