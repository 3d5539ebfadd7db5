import type { Command } from 'commander';
import { bashCompletion } from '../completion/bash.js';
import { commandTree, type CommandNode } from '../completion/command-tree.js';
import { fishCompletion } from '../completion/fish.js';
import type { Shell } from '../grammar/completion.js';
import { zshCompletion } from '../completion/zsh.js';
import type { Session } from '../session/session.js';

const SCRIPTS: Readonly<Record<Shell, (root: CommandNode) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** completion makes what `btfctl completion` does of the program that it completes. */
export function completion(program: Command): (session: Session, shell: Shell) => Promise<void> {
  return async ({ out }, shell) => out.write(SCRIPTS[shell](commandTree(program)));
}
