import { setMaxListeners } from 'node:events';

/** orAborted returns the result of a promise. @throws the reason of the signal, if it aborts first. */
export async function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    void result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/** MAX_TIMER_MS is the longest time of Node's timers: 24 days. A longer one would end at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Bounded is an AbortController that follows the signals of others and ends on its own after a time. Disposing of it stops
 * its timer and its listener.
 */
export class Bounded implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: readonly AbortSignal[];
  readonly #timer: NodeJS.Timeout | null;
  /** Whether the time is over, and nothing else has aborted the signal before. */
  timedOut = false;

  /** @param ms the time; Infinity for none. */
  constructor(outer: readonly (AbortSignal | undefined)[], ms: number) {
    this.#outer = outer.filter((each) => each !== undefined);
    // As many as the calls that run at one time.
    setMaxListeners(0, this.#controller.signal);
    this.#timer = ms > MAX_TIMER_MS ? null : setTimeout(() => this.#end(), ms);
    for (const each of this.#outer) each.addEventListener('abort', this.#follow, { once: true });
    this.#follow();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const each of this.#outer) each.removeEventListener('abort', this.#follow);
  }

  #end(): void {
    if (this.signal.aborted) return;
    this.timedOut = true;
    this.abort(new DOMException('the time is over', 'TimeoutError'));
  }

  readonly #follow = (): void => {
    const first = this.#outer.find(({ aborted }) => aborted);
    if (first !== undefined) this.abort(first.reason);
  };
}
