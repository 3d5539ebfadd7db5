/** Timer is a callback that waits for its time. */
export interface Timer {
  cancel(): void;
}

/** Clock tells time that never jumps, in milliseconds from an arbitrary start. */
export interface Clock {
  now(): number;
  /** Calls back once, after at least `ms`. */
  after(ms: number, callback: () => void): Timer;
}

/** systemClock is the machine's monotonic clock. Its timers don't keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
