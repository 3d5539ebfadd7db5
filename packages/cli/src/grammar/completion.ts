import { Argument, Command } from 'commander';
import type { Action } from './options.js';

/** SHELLS are the shells that have a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Shell is one of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** COMPLETE is the hidden command that the scripts run. It is not a part of the program, because nobody types it. */
export const COMPLETE = '__complete';

/** completionCommand is `btfctl completion`. */
export function completionCommand(action: Action): Command {
  return new Command('completion')
    .description('print the completion script for a shell: source <(btfctl completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(action);
}
