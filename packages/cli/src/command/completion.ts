import { BASH_COMPLETION } from '../completion/bash.js';
import { FISH_COMPLETION } from '../completion/fish.js';
import { ZSH_COMPLETION } from '../completion/zsh.js';
import type { Shell } from '../grammar/completion.js';
import type { Session } from '../session/session.js';

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: BASH_COMPLETION,
  zsh: ZSH_COMPLETION,
  fish: FISH_COMPLETION,
};

/** completion runs `btfctl completion`. */
export async function completion({ out }: Session, shell: Shell): Promise<void> {
  await out.write(SCRIPTS[shell]);
}
