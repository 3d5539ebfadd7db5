import { onAbort, orAborted } from '../base/abort.js';

interface SharedCall<T, E> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  readonly listeners: Set<(event: E) => void>;
  waiting: number;
}

/**
 * SharedCalls merges calls with the same key that run at the same time into one. A caller that aborts leaves the shared
 * call, which is aborted when all callers have left. The events of the call reach every caller.
 */
export class SharedCalls<T, E = never> {
  readonly #calls = new Map<string, SharedCall<T, E>>();

  /**
   * Joins the call with this key, or starts it.
   *
   * @param start starts the call. It gets the call's own signal, and a function that sends an event to every caller.
   * @param listen gets the events from now on. A caller whose `listen` throws leaves the call.
   * @throws the reason of `signal`, the error of `listen`, or that of the call.
   */
  async run(
    key: string,
    signal: AbortSignal | undefined,
    start: (signal: AbortSignal, emit: (event: E) => void) => Promise<T>,
    listen?: (event: E) => void,
  ): Promise<T> {
    signal?.throwIfAborted();
    const leaving = new AbortController();
    const stopFollowing = onAbort(signal, () => leaving.abort(signal?.reason));
    // A function of its own, because other callers may pass the same `listen`.
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
    start: (signal: AbortSignal, emit: (event: E) => void) => Promise<T>,
    first: (event: E) => void,
  ): SharedCall<T, E> {
    const controller = new AbortController();
    const listeners = new Set([first]);
    const emit = (event: E): void => listeners.forEach((listen) => listen(event));
    const call = { result: start(controller.signal, emit), controller, listeners, waiting: 0 };
    this.#calls.set(key, call);
    return call;
  }
}
