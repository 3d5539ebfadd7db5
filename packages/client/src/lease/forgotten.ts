const forgotten = new FinalizationRegistry<AbortController>((end) => end.abort());

/**
 * endForgotten ends what an iteration holds when nobody can reach the iteration any more: a generator that waits at a
 * `yield` for a reader who never comes runs no `finally`. It ends some time later, as garbage is collected.
 *
 * @param end must not lead to the iteration.
 */
export function endForgotten<T extends object>(iteration: T, end: AbortController): T {
  forgotten.register(iteration, end);
  return iteration;
}
