import { Command } from 'commander';
import type { Action } from './options.js';

/** versionCommand is `btfctl version`. */
export function versionCommand(action: Action): Command {
  return new Command('version')
    .description('print the version of btfctl; `btfctl info` shows the version of the daemon')
    .action(action);
}
