import { Argument, Command } from 'commander';
import { SHELLS } from '../completion/shells.js';
import type { Run } from '../session/run.js';

/** completionCommand is `btfctl completion`. */
export function completionCommand(run: Run, program: Command): Command {
  return new Command('completion')
    .description('print the completion script for a shell: source <(btfctl completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(run(async () => (await import('../command/completion.js')).completion(program)));
}
