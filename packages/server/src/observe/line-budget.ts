import type { Clock, Timer } from '../base/clock.js';

/** WINDOW_MS is the time over which lines are counted, in milliseconds. */
export const WINDOW_MS = 10_000;

/** About are the fields that lines have in common if they are counted together. */
export type About = Readonly<Record<string, string | null>>;

interface Window {
  readonly about: About;
  readonly timer: Timer;
  lines: number;
}

/**
 * LineBudget limits how many log lines one caller can cause in a time window. journald drops lines of a service that
 * writes too many, so one caller could hide what others do. Further lines are only counted.
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

  /** Counts one more line, and reports whether it may be written. */
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
