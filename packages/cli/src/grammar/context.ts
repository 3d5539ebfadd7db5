import { Command } from 'commander';
import type { Action } from './options.js';

/** ContextActions are what the commands of `btfctl context` do. */
export interface ContextActions {
  readonly list: Action;
  readonly use: Action;
  readonly set: Action;
  readonly remove: Action;
}

/** contextCommand is `btfctl context` with its own commands. */
export function contextCommand(actions: ContextActions): Command {
  return new Command('context')
    .description('manage contexts, the names of daemons in the config file')
    .addCommand(new Command('list').description('list the contexts').action(actions.list))
    .addCommand(
      new Command('use')
        .description('make a context the current one, which is used by default')
        .argument('<name>')
        .action(actions.use),
    )
    .addCommand(
      new Command('set')
        .description('add or replace a context with the given --address and --tls options')
        .argument('<name>')
        .action(actions.set),
    )
    .addCommand(
      new Command('remove').description('remove a context').argument('<name>').action(actions.remove),
    );
}
