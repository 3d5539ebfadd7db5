import type { Clock, Timer } from '../base/clock.js';

/** WINDOW_MS is how long lines are counted together. */
export const WINDOW_MS = 10_000;

/** About is what lines have in common that are counted together, as it is logged. */
export type About = Readonly<Record<string, string | null>>;

interface Window {
  readonly about: About;
  readonly timer: Timer;
  lines: number;
}

/**
 * LineBudget bounds how many lines somebody can have written by what they do: who floods the log would hide what others
 * do, as journald drops lines of a service that writes too many. What is beyond the bound is told as a number.
 */
export class LineBudget {
  /** Lines about the same in a window. */
  readonly #most: number;
  readonly #clock: Clock;
  /** Writes how many lines were left out, at the end of their window. */
  readonly #tell: (about: About, leftOut: number) => void;
  readonly #windows = new Map<string, Window>();

  constructor(most: number, clock: Clock, tell: (about: About, leftOut: number) => void) {
    this.#most = most;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Says whether one more line about something may be written, and counts it. */
  allows(about: About): boolean {
    const key = JSON.stringify(about);
    const window = this.#windows.get(key) ?? this.#begin(key, about);
    window.lines += 1;
    return window.lines <= this.#most;
  }

  /** Ends all windows now. */
  flush(): void {
    for (const key of this.#windows.keys()) this.#end(key);
  }

  #begin(key: string, about: About): Window {
    const window = { about, timer: this.#clock.after(WINDOW_MS, () => this.#end(key)), lines: 0 };
    this.#windows.set(key, window);
    return window;
  }

  #end(key: string): void {
    const window = this.#windows.get(key);
    if (window === undefined) return;
    window.timer.cancel();
    this.#windows.delete(key);
    if (window.lines > this.#most) this.#tell(window.about, window.lines - this.#most);
  }
}
