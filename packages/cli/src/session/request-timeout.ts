/** How long to wait for the next response without `--timeout`. */
const RESPONSE_MS = 30_000;

/** RequestTimeout limits the wait for a daemon, which may be stopped or cut off, and would then never respond. */
export class RequestTimeout {
  /** Aborts when the user ends the command, or with a `TimeoutError` when the wait is too long. */
  readonly signal: AbortSignal;
  readonly #timeout: number | undefined;
  readonly #daemon: () => string;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param interrupted aborts when the user ends the command.
   * @param timeout milliseconds for the whole request; undefined to wait as long as there is a response every 30 s.
   * @param daemon returns the daemon in words, for the message.
   */
  constructor(interrupted: AbortSignal, timeout: number | undefined, daemon: () => string) {
    this.#timeout = timeout;
    this.#daemon = daemon;
    this.signal = this.#controller.signal;
    // Not AbortSignal.any and AbortSignal.timeout: Node 20 garbage-collects their signals while something waits for them.
    interrupted.addEventListener('abort', () => this.#controller.abort(interrupted.reason));
    if (interrupted.aborted) this.#controller.abort(interrupted.reason);
    this.#start();
  }

  /** Starts the wait again, after a response that is not the last. */
  extend(): void {
    if (this.#timeout === undefined) this.#start();
  }

  /** Ends the wait, after the last response. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #start(): void {
    this.clear();
    const what =
      this.#timeout === undefined ? 'did not respond in time' : 'took longer than --timeout allows';
    const abort = (): void =>
      this.#controller.abort(new DOMException(`${this.#daemon()} ${what}`, 'TimeoutError'));
    this.#timer = setTimeout(abort, this.#timeout ?? RESPONSE_MS).unref();
  }
}
