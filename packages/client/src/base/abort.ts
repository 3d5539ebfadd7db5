/** What is to run when a signal aborts. One listener for each signal serves any number of calls on it. */
const runsOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * onAbort runs a function when a signal aborts, at once if it has. Unlike `addEventListener` it can be
 * used on one signal by any number of calls at the same time without Node's warning of a leak.
 *
 * @returns what ends it. Calling that more than once is harmless.
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
