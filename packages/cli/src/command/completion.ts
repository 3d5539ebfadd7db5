import { Argument, Command } from 'commander';
import { bashCompletion } from '../completion/bash.js';
import { commandTree, type CommandNode } from '../completion/command-tree.js';
import { fishCompletion } from '../completion/fish.js';
import { zshCompletion } from '../completion/zsh.js';
import type { Run } from '../run.js';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const satisfies Record<
  string,
  (root: CommandNode) => string
>;

/** completionCommand is `btfctl completion`. */
export function completionCommand(run: Run, program: Command): Command {
  return new Command('completion')
    .description('print the completion script for a shell: source <(btfctl completion bash)')
    .addArgument(new Argument('<shell>').choices(Object.keys(SHELLS)))
    .action(
      run(async (session, shell: keyof typeof SHELLS) => {
        await session.out.write(SHELLS[shell](commandTree(program)));
      }),
    );
}
