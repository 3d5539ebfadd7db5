/** The functions that run when a signal aborts. Each signal has one listener, which serves any number of them. */
const runsOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * onAbort runs a function when a signal aborts, or at once if it has aborted. Unlike `addEventListener` it can be
 * used on one signal by any number of calls at the same time: Node does not warn of a leak.
 *
 * @returns a function that stops listening. Calling it more than once is harmless.
 */
export function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    run();
    return () => {};
  }
  const runs = runsOf.get(signal) ?? listen(signal);
  runs.add(run);
  return () => void runs.delete(run);
}

function listen(signal: AbortSignal): Set<() => void> {
  const runs = new Set<() => void>();
  runsOf.set(signal, runs);
  signal.addEventListener('abort', () => runs.forEach((run) => run()), { once: true });
  return runs;
}

/** orAborted returns the result of a promise. @throws the reason of the signal, if it aborts first. */
export async function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(signal.reason));
    void result.then(resolve, reject).finally(stopListening);
  });
}

const forgotten = new FinalizationRegistry<AbortController>((end) => end.abort());

/**
 * abortWhenForgotten aborts a controller some time after an iteration has become garbage. Without it, a generator that
 * waits at a `yield` for a reader who has lost it would keep what it holds: it never runs its `finally`.
 *
 * @param end the controller. It must not reference the iteration.
 * @returns the iteration.
 */
export function abortWhenForgotten<T extends object>(iteration: T, end: AbortController): T {
  forgotten.register(iteration, end);
  return iteration;
}
