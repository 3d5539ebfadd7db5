/** Clock is what the renewal of leases knows of time. */
export interface Clock {
  /** Milliseconds from some start; never goes back. */
  now(): number;
  /** Runs a function once after some milliseconds. Answers what prevents it. */
  setTimer(run: () => void, ms: number): () => void;
}

/** systemClock is the process's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (run, ms) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
