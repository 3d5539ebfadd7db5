import { Command } from 'commander';
import type { Run } from '../session/run.js';

/** contextCommand is `btfctl context` with its own commands. */
export function contextCommand(run: Run): Command {
  return new Command('context')
    .description('name daemons in the config file, and choose the one to ask')
    .addCommand(
      new Command('list')
        .description('list the contexts')
        .action(run(async () => (await import('../command/context.js')).list)),
    )
    .addCommand(
      new Command('use')
        .description('ask this one where none is named')
        .argument('<name>')
        .action(run(async () => (await import('../command/context.js')).use)),
    )
    .addCommand(
      new Command('set')
        .description('add a context, or replace it, with the --address and the --tls options that are given')
        .argument('<name>')
        .action(run(async () => (await import('../command/context.js')).set)),
    )
    .addCommand(
      new Command('remove')
        .description('remove a context')
        .argument('<name>')
        .action(run(async () => (await import('../command/context.js')).remove)),
    );
}
