import { Command } from 'commander';
import type { Action } from './options.js';

/** infoCommand is `btfctl info`. */
export function infoCommand(action: Action): Command {
  return new Command('info')
    .description('tell what the daemon is, what it can do, and why not the rest')
    .action(action);
}
