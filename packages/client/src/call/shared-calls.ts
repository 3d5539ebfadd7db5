import { onAbort } from '../base/on-abort.js';

interface SharedCall<T, E> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  readonly listeners: Set<(event: E) => void>;
  waiting: number;
}

/**
 * SharedCalls makes one call of all that are asked for by the same key at the same time. Who aborts leaves
 * alone; the call itself is aborted when everyone has left. What the call tells on its way reaches everyone.
 */
export class SharedCalls<T, E = never> {
  readonly #calls = new Map<string, SharedCall<T, E>>();

  /**
   * Joins the call with this key, or starts it.
   *
   * @param start is given the shared call's own signal, and what tells everyone.
   * @param listen is told from now on. Who throws leaves alone, too.
   */
  async run(
    key: string,
    signal: AbortSignal | undefined,
    start: (signal: AbortSignal, tell: (event: E) => void) => Promise<T>,
    listen?: (event: E) => void,
  ): Promise<T> {
    signal?.throwIfAborted();
    const leaving = new AbortController();
    const stopFollowing = onAbort(signal, () => leaving.abort(signal?.reason));
    // One's own, since others may listen with the same function.
    const hear = (event: E): void => {
      try {
        listen?.(event);
      } catch (error) {
        leaving.abort(error);
      }
    };
    const call = this.#calls.get(key) ?? this.#start(key, start, hear);
    call.listeners.add(hear);
    call.waiting += 1;
    try {
      return await orAborted(call.result, leaving.signal);
    } finally {
      stopFollowing();
      call.waiting -= 1;
      call.listeners.delete(hear);
      if (call.waiting === 0) {
        if (this.#calls.get(key) === call) this.#calls.delete(key);
        call.controller.abort();
      }
    }
  }

  #start(
    key: string,
    start: (signal: AbortSignal, tell: (event: E) => void) => Promise<T>,
    first: (event: E) => void,
  ): SharedCall<T, E> {
    const controller = new AbortController();
    const listeners = new Set([first]);
    const tell = (event: E): void => listeners.forEach((listen) => listen(event));
    const call = { result: start(controller.signal, tell), controller, listeners, waiting: 0 };
    this.#calls.set(key, call);
    return call;
  }
}

async function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(signal.reason));
    void result.then(resolve, reject).finally(stopListening);
  });
}
