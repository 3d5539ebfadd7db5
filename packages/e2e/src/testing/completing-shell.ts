import { Terminal } from './terminal.js';

/** SHELLS are the shells that have a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Shell is one of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** SHELL_TOOLS are the tools that a test of a shell needs. Every machine has bash. */
export const SHELL_TOOLS = { bash: [], zsh: ['zsh'], fish: ['fish'] } as const;

const COMMANDS: Readonly<Record<Shell, string>> = {
  bash: 'bash --norc --noprofile -i',
  zsh: 'zsh -f -i',
  fish: 'fish --no-config -i',
};

/** SET_UP is the command that reads the completion script, as docs/btfctl.md has it. */
export const SET_UP: Readonly<Record<Shell, string>> = {
  bash: 'source <(btfctl completion bash)',
  zsh: 'source <(btfctl completion zsh)',
  fish: 'btfctl completion fish | source',
};

/** The prompt, and for zsh its own completion system. */
const BEFORE: Readonly<Record<Shell, string>> = {
  bash: 'true',
  zsh: 'PS1="$ "; autoload -U compinit; compinit -u -D',
  fish: "function fish_prompt; echo '$ '; end",
};

/**
 * openShell opens an interactive shell with the completion of btfctl, which it reads twice, as a shell that is set up again. Tab
 * waits as long as it takes, because the machine may be busy.
 *
 * @param dir the working directory.
 * @param setUp the commands that read the script. Default: {@link SET_UP}.
 */
export async function openShell(
  shell: Shell,
  dir: string,
  env: Readonly<Record<string, string>>,
  setUp = SET_UP[shell],
): Promise<Terminal> {
  const terminal = new Terminal(COMMANDS[shell], {
    columns: 120,
    env: { BTFCTL_COMPLETION_TIMEOUT: '5m', ...env },
  });
  await terminal.setUp(`${BEFORE[shell]}; ${setUp}; ${setUp}; cd ${dir}`);
  return terminal;
}
