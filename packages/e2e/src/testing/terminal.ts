import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BTFCTL } from './btfctl.js';
import { until } from './until.js';

/** A word that is not completed by any shell. */
const MARK = 'QQ';

/** The line after the prompt. */
const TYPED = new RegExp(`^\\S (.*)${MARK}`, 'm');

/** TerminalOptions are the options of a {@link Terminal}. */
export interface TerminalOptions {
  /** The width. Default: 80. */
  readonly columns?: number;
  /** The height. Default: 24. */
  readonly rows?: number;
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Terminal is a terminal that runs a shell with `btfctl` in its PATH. */
export class Terminal implements AsyncDisposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'btfd-terminal-'));
  readonly #socket = join(this.#dir, 'tmux');

  constructor(shell: string, { columns = 80, rows = 24, env = {} }: TerminalOptions = {}) {
    const program = `#!/bin/sh\nexec '${process.execPath}' '${BTFCTL}' "$@"\n`;
    writeFileSync(join(this.#dir, 'btfctl'), program, { mode: 0o755 });
    const variables = {
      HOME: this.#dir,
      PATH: `${this.#dir}:${process.env['PATH']}`,
      LC_ALL: 'C.UTF-8',
      PS1: '$ ',
      ...env,
    };
    const size = ['-x', String(columns), '-y', String(rows)];
    const words = [
      'env',
      '-i',
      'TERM=screen-256color',
      ...Object.entries(variables).map(([k, v]) => `${k}=${v}`),
    ];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, ...words, ...shell.split(' '));
  }

  /** Types keys, with the key names of tmux: `Enter`, `Tab`, `C-c`. */
  type(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Runs commands in the shell, clears the screen, and waits for the prompt of one character. */
  async setUp(commands: string): Promise<void> {
    // The word is split, because the typed command would match otherwise: both prompts look the same.
    this.type(`${commands}; clear; echo rea''dy`, 'Enter');
    await this.shows(/^ready\n\S$/);
  }

  /** Returns the text on the screen, without empty lines at the end. No line ends with spaces. */
  screen(): string {
    return this.#tmux('capture-pane', '-p').trimEnd();
  }

  /** Returns the text on the screen, with the escape sequences of its colors. */
  colors(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** Waits until the screen matches a pattern, and returns the screen. */
  async shows(pattern: RegExp): Promise<string> {
    let screen = '';
    try {
      await until(`the terminal shows ${pattern}`, () => pattern.test((screen = this.screen())));
    } catch (error) {
      throw new Error(`the terminal shows instead:\n${screen}`, { cause: error });
    }
    return screen;
  }

  /**
   * Types a line after the prompt, and presses Tab. Returns the line when the shell has completed it, up to the cursor, with its
   * spaces. The line is then removed.
   */
  async tab(typed: string): Promise<string> {
    this.type('-l', typed);
    this.type('Tab');
    // The shell reads this after the completion has ended.
    this.type('-l', MARK);
    const [, line = ''] = TYPED.exec(await this.shows(TYPED)) ?? [];
    this.type('C-u', 'C-l');
    await until('the line is gone', () => !this.screen().includes(MARK));
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const shell = Number(this.#tmux('display-message', '-p', '#{pane_pid}'));
    this.#tmux('kill-server');
    // The shell still writes its history.
    await until('the shell is gone', () => !existsSync(`/proc/${shell}`));
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8' });
  }
}
