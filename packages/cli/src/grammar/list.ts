import { Command } from 'commander';
import { type Action, originOption } from './options.js';

/** listCommand is `btfctl list`. */
export function listCommand(action: Action): Command {
  return originOption(
    new Command('list')
      .alias('show')
      .description('list the BTF objects in the kernel; with -o wide, who uses each')
      .argument('[object...]', 'names, globs, or id:7; default: all'),
  )
    .option('--digest', 'tell the SHA-256 of each')
    .action(action);
}
