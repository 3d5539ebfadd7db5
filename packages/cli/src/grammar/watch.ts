import type { KnownOrigin } from '@btfd/client';
import { Command } from 'commander';
import { type Action, originOption } from './options.js';

/** WatchOptions are the options of `btfctl watch`. */
export interface WatchOptions {
  readonly origin?: KnownOrigin;
  readonly new?: boolean;
}

/** watchCommand is `btfctl watch`. */
export function watchCommand(action: Action): Command {
  return originOption(
    new Command('watch')
      .description('show the BTF objects in the kernel, and those that come and go, until Ctrl-C')
      .argument('[object...]', 'names or globs; default: all objects'),
  )
    .option('--new', 'leave out the objects that exist already')
    .action(action);
}
