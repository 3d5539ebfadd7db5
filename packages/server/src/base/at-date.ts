/** A timer takes at most 24 days, and clocks are set. */
const LOOK_MS = 3_600_000;

/**
 * atDate calls back once, when the machine's clock says that a time has come. It keeps no process alive.
 *
 * @param date - milliseconds since 1970
 * @returns what cancels it
 */
export function atDate(date: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const left = date - Date.now();
    // What is no date, as of a certificate that says none, is as one that has passed.
    if (left < 0 || Number.isNaN(left)) callback();
    else timer = setTimeout(look, Math.min(left + 1, LOOK_MS)).unref();
  };
  look();
  return () => clearTimeout(timer);
}
