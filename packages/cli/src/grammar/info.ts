import { Command } from 'commander';
import type { Action } from './options.js';

/** infoCommand is `btfctl info`. */
export function infoCommand(action: Action): Command {
  return new Command('info')
    .description("show the daemon's version, what it can do here, and why not the rest")
    .action(action);
}
