/** untilEndingSignal resolves at the first SIGTERM or SIGINT; a second one ends the process at once, as by default. */
export async function untilEndingSignal(): Promise<NodeJS.Signals> {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      for (const each of signals) process.off(each, onSignal);
      resolve(signal);
    };
    for (const signal of signals) process.on(signal, onSignal);
  });
}

/**
 * onHangup calls back at SIGHUP, one call after the other. A signal that comes while an earlier one still waits for its
 * turn asks for nothing more.
 */
export function onHangup(callback: () => Promise<void>): void {
  let last = Promise.resolve();
  let isWaiting = false;
  process.on('SIGHUP', () => {
    if (isWaiting) return;
    isWaiting = true;
    last = last.then(async () => {
      isWaiting = false;
      await callback();
    });
  });
}
