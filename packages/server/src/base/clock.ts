/** Timer is a callback that waits for its time. */
export interface Timer {
  cancel(): void;
}

/** Clock returns a time that never jumps, in milliseconds from an arbitrary start. */
export interface Clock {
  now(): number;
  /** after calls back once, after at least `ms` milliseconds. */
  after(ms: number, callback: () => void): Timer;
}

/** systemClock is the machine's monotonic clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Timers cannot run for more than 24 days, and the machine's clock may be set meanwhile. */
const LOOK_MS = 3_600_000;

/**
 * atDate calls back once, when the machine's clock has passed a date, and never before it returns. It does not keep the
 * process alive. An invalid date, as in a certificate without one, counts as passed.
 *
 * @param date milliseconds since 1970.
 * @returns a function that cancels the call.
 */
export function atDate(date: number, callback: () => void): () => void {
  if (date === Infinity) return () => {};
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = date + 1 - Date.now();
    timer = setTimeout(look, left > 0 ? Math.min(left, LOOK_MS) : 0).unref();
  };
  const look = (): void => {
    if (Date.now() <= date) wait();
    else callback();
  };
  wait();
  return () => clearTimeout(timer);
}
