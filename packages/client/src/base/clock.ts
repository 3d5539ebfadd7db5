/** Clock is what the renewal of leases knows of time. */
export interface Clock {
  /** Milliseconds from some start; never goes back. */
  now(): number;
  /**
   * Runs a function once after some milliseconds. Answers what prevents it.
   *
   * @param keepAlive whether the process waits for it. Default: it does not.
   */
  setTimer(run: () => void, ms: number, keepAlive?: boolean): () => void;
}

/** systemClock is the process's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (run, ms, keepAlive = false) => {
    const timer = setTimeout(run, ms);
    if (!keepAlive) timer.unref();
    return () => clearTimeout(timer);
  },
};
