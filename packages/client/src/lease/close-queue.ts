/**
 * CloseQueue closes handles by as few calls as possible without letting anyone wait: one call at a time, and
 * what is added meanwhile goes with the next.
 */
export class CloseQueue {
  readonly #close: (tokens: readonly string[]) => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #waiting: string[] = [];
  #running = false;

  /** @param failed told of the first call that fails; nothing is closed after it. */
  constructor(close: (tokens: readonly string[]) => Promise<void>, failed: (error: unknown) => void) {
    this.#close = close;
    this.#failed = failed;
  }

  add(token: string): void {
    this.#waiting.push(token);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waiting.length > 0) await this.#close(this.#waiting.splice(0));
      this.#running = false;
    } catch (error) {
      this.#failed(error);
    }
  }
}
