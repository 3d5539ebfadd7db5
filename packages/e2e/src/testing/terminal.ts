import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BTFCTL } from './btfctl.js';
import { until } from './until.js';

/** TerminalOptions are the options of a {@link Terminal}. */
export interface TerminalOptions {
  /** Default: 80. */
  readonly columns?: number;
  /** Default: 24. */
  readonly rows?: number;
  /** What its environment has besides. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Terminal is a terminal with a shell in it, as one sits before it, with `btfctl` in its PATH. */
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

  /** Types keys, in the words of tmux: `Enter`, `Tab`, `C-c`. */
  type(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Has the shell run commands on a screen that is empty then, and waits for its prompt of one character behind them. */
  async setUp(commands: string): Promise<void> {
    // Not as one word, which would be shown as it is typed: the prompt before looks as the one behind.
    this.type(`${commands}; clear; echo rea''dy`, 'Enter');
    await this.shows(/^ready\n\S$/);
  }

  /** What it shows, without the empty lines at its end; no line has spaces at its end. */
  screen(): string {
    return this.#tmux('capture-pane', '-p').trimEnd();
  }

  /** What it shows, with the sequences that colour it. */
  colors(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** Waits until it shows something. Answers the screen. */
  async shows(pattern: RegExp): Promise<string> {
    let screen = '';
    try {
      await until(`the terminal shows ${pattern}`, () => pattern.test((screen = this.screen())));
    } catch (error) {
      throw new Error(`the terminal shows instead:\n${screen}`, { cause: error });
    }
    return screen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const shell = Number(this.#tmux('display-message', '-p', '#{pane_pid}'));
    this.#tmux('kill-server');
    // It still writes its history.
    await until('the shell is gone', () => !existsSync(`/proc/${shell}`));
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8' });
  }
}
