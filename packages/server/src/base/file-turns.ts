import { systemClock, type Clock } from './clock.js';

/** Local files take milliseconds, and a network file system that is mounted at its first use takes seconds. */
const LONGEST_MS = 10_000;

/**
 * FileTurns runs work on files, one at a time. A file system that hangs blocks the thread that waits for it, and Node has
 * four threads for files. With turns it blocks one of them, for each kind of turns.
 */
export class FileTurns {
  /** Resolves when the current work ends, and rejects if that takes too long. Null if no work runs. */
  #current: Promise<void> | null = null;
  readonly #longestMs: number;
  readonly #clock: Clock;

  constructor(longestMs = LONGEST_MS, clock = systemClock) {
    this.#longestMs = longestMs;
    this.#clock = clock;
  }

  /**
   * run waits until earlier work has ended, and returns the result of `work`. Work that takes too long keeps its turn until
   * it ends. Until then, all other work fails at once.
   *
   * @param what describes the work in errors, such as `reading /etc/btfd/config.yaml`.
   * @throws Error if this work or earlier work takes more than 10 s.
   */
  async run<T>(what: string, work: () => Promise<T>): Promise<T> {
    // Not `idle`, after which several callers would continue together.
    while (this.#current !== null) await this.#current;
    const result = work();
    this.#current = this.#ending(what, result);
    // Without listeners, rejections after this call has failed would end the process.
    this.#current.catch(() => {});
    result.catch(() => {});
    await this.#current;
    return result;
  }

  /**
   * idle waits until no work runs.
   *
   * @throws Error if the current work takes more than 10 s.
   */
  async idle(): Promise<void> {
    while (this.#current !== null) await this.#current;
  }

  async #ending(what: string, result: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(this.#longestMs, () => {
        reject(
          new Error(`${what} has not ended after ${this.#longestMs / 1_000}s: does its file system hang?`),
        );
      });
      const end = (): void => {
        timer.cancel();
        this.#current = null;
        resolve();
      };
      result.then(end, end);
    });
  }
}

/** FILE_TURNS are the turns of this process for the files that an operator names, because its threads for files are. */
export const FILE_TURNS = new FileTurns();

/** BTF_TURNS are those for BTF files. A folder of BTF that hangs must not keep the daemon from reading its policy. */
export const BTF_TURNS = new FileTurns();
