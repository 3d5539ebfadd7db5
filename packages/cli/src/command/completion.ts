import type { Command } from 'commander';
import { bashCompletion } from '../completion/bash.js';
import { type CommandNode, commandTree } from '../completion/command-tree.js';
import { fishCompletion } from '../completion/fish.js';
import { zshCompletion } from '../completion/zsh.js';
import type { Shell } from '../grammar/completion.js';
import type { Session } from '../session/session.js';

const SCRIPTS: Readonly<Record<Shell, (root: CommandNode) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** completion returns the function that runs `btfctl completion`, for the program to complete. */
export function completion(program: Command): (session: Session, shell: Shell) => Promise<void> {
  return async ({ out }, shell) => out.write(SCRIPTS[shell](commandTree(program)));
}
