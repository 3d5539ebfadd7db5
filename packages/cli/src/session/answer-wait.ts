/** How long to wait for the next response without `--timeout`. */
const ANSWER_MS = 30_000;

/**
 * AnswerWait limits the wait for a daemon, which may be stopped or cut off, and would then never respond.
 */
export class AnswerWait {
  /** Aborts when the user ends the command, or with a `TimeoutError` when the wait is too long. */
  readonly signal: AbortSignal;
  readonly #timeout: number | undefined;
  readonly #wait = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param interrupted aborts when the user ends the command.
   * @param timeout milliseconds for the whole request; undefined to wait as long as there is a response every 30 s.
   */
  constructor(interrupted: AbortSignal, timeout: number | undefined) {
    this.#timeout = timeout;
    this.signal = this.#wait.signal;
    // Not AbortSignal.any and AbortSignal.timeout: Node 20 garbage-collects their signals while something waits for them.
    interrupted.addEventListener('abort', () => this.#wait.abort(interrupted.reason));
    if (interrupted.aborted) this.#wait.abort(interrupted.reason);
    this.#start();
  }

  /** Notes a response after which more will come. */
  heard(): void {
    if (this.#timeout === undefined) this.#start();
  }

  /** Ends the wait after the last response. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #start(): void {
    this.end();
    const text =
      this.#timeout === undefined
        ? 'the daemon did not respond in time'
        : 'the request took longer than --timeout allows';
    const abort = (): void => this.#wait.abort(new DOMException(text, 'TimeoutError'));
    this.#timer = setTimeout(abort, this.#timeout ?? ANSWER_MS).unref();
  }
}
