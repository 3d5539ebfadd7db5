import { Command } from 'commander';
import type { Run } from '../session/run.js';
import { originOption } from './origin-option.js';

/** listCommand is `btfctl list`. */
export function listCommand(run: Run): Command {
  return originOption(
    new Command('list')
      .alias('show')
      .description('list the BTF objects in the kernel; with -o wide, who uses each')
      .argument('[object...]', 'names, globs, or id:7; default: all'),
  )
    .option('--digest', 'tell the SHA-256 of each')
    .action(run(async () => (await import('../command/list.js')).list));
}
