import type { KnownOrigin } from '@btfd/client';
import { Command } from 'commander';
import { type Action, originOption } from './options.js';

/** ListOptions are the options of `btfctl list`. */
export interface ListOptions {
  readonly origin?: KnownOrigin;
  readonly digest?: boolean;
}

/** listCommand is `btfctl list`. */
export function listCommand(action: Action): Command {
  return originOption(
    new Command('list')
      .alias('show')
      .description('list the BTF objects in the kernel; -o wide also shows who uses each')
      .argument('[object...]', 'names, globs or ids, such as 7; default: all objects'),
  )
    .option('--digest', 'show the SHA-256 of each object')
    .action(action);
}
