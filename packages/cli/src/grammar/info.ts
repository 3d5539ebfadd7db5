import { Command } from 'commander';
import type { Run } from '../session/run.js';

/** infoCommand is `btfctl info`. */
export function infoCommand(run: Run): Command {
  return new Command('info')
    .description('tell what the daemon is, what it can do, and why not the rest')
    .action(run(async () => (await import('../command/info.js')).info));
}
