/**
 * CloseQueue closes handles in as few calls as possible, in the background. It makes one call at a time; handles that
 * are added in the meantime are closed by the next call.
 */
export class CloseQueue {
  readonly #close: (tokens: readonly string[]) => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #waiting: string[] = [];
  #running = false;

  /** @param failed called when a call fails. Nothing is closed after that. */
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
