/**
 * KeyedRuns does work one run at a time. Callers that request a key before its run has begun share the run. A
 * later caller gets another run, because the result may have changed.
 */
export class KeyedRuns<T> {
  readonly #waiting = new Map<string, Promise<T>>();
  #last: Promise<unknown> = Promise.resolve();

  /** next returns the result of a run that begins after the call. */
  async next(key: string, run: () => Promise<T>): Promise<T> {
    return this.#waiting.get(key) ?? this.#add(key, run);
  }

  #add(key: string, run: () => Promise<T>): Promise<T> {
    const running = this.#last.then(() => {
      this.#waiting.delete(key);
      return run();
    });
    this.#waiting.set(key, running);
    this.#last = running.catch(() => {});
    return running;
  }
}

/** SharedRuns does one kind of work, one run at a time. Calls during a run share the next one. */
export class SharedRuns<T> {
  readonly #runs = new KeyedRuns<T>();
  readonly #run: () => Promise<T>;

  constructor(run: () => Promise<T>) {
    this.#run = run;
  }

  /** next returns the result of a run that begins after the call. */
  async next(): Promise<T> {
    return this.#runs.next('', this.#run);
  }
}
