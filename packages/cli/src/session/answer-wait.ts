/** How long the next answer is waited for where `--timeout` does not say it. */
const ANSWER_MS = 30_000;

/**
 * AnswerWait is the wait for answers of a daemon, which may be stopped, or behind a network that lost it, and then would
 * never be heard of.
 */
export class AnswerWait {
  /** Aborts when the user wants an end, or when the wait was too long, with a `TimeoutError`. */
  readonly signal: AbortSignal;
  readonly #timeout: number | undefined;
  readonly #wait = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param interrupted aborts when the user wants an end.
   * @param timeout milliseconds for all of it; undefined for as long as there is an answer every half a minute.
   */
  constructor(interrupted: AbortSignal, timeout: number | undefined) {
    this.#timeout = timeout;
    this.signal = this.#wait.signal;
    // Not by AbortSignal.any and AbortSignal.timeout: Node 20 lets go of those while something waits for them.
    interrupted.addEventListener('abort', () => this.#wait.abort(interrupted.reason));
    if (interrupted.aborted) this.#wait.abort(interrupted.reason);
    this.#start();
  }

  /** Tells of an answer, behind which more come. */
  heard(): void {
    if (this.#timeout === undefined) this.#start();
  }

  /** Tells of the last answer that is waited for. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #start(): void {
    this.end();
    const text =
      this.#timeout === undefined
        ? 'the daemon did not answer in time'
        : 'it took longer than --timeout allows';
    const abort = (): void => this.#wait.abort(new DOMException(text, 'TimeoutError'));
    this.#timer = setTimeout(abort, this.#timeout ?? ANSWER_MS).unref();
  }
}
