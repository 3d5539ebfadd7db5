import { Command } from 'commander';
import type { Run } from '../session/run.js';

/** versionCommand is `btfctl version`. */
export function versionCommand(run: Run): Command {
  return new Command('version')
    .description('print the version of btfctl; `btfctl info` tells that of the daemon')
    .action(run(async () => (await import('../command/version.js')).version));
}
