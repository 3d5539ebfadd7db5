import { BTF_TURNS, FILE_TURNS } from '../base/file-turns.js';
import { wait } from '../base/wait.js';

/** untilEndingSignal waits for the first SIGTERM or SIGINT. A second one ends the process at once, which is the default. */
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
 * onHangup calls back at SIGHUP, one call at a time. Signals during a call cause one further call.
 */
export function onHangup(callback: () => Promise<void>): void {
  let isRunning = false;
  let isAsked = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (isAsked) {
      isAsked = false;
      await callback();
    }
    isRunning = false;
  };
  process.on('SIGHUP', () => {
    isAsked = true;
    if (!isRunning) void run();
  });
}

/** Time for work on files to end. It takes longer only if a file system hangs. */
const FILES_MS = 1_000;

/**
 * killIfHanging ends the process with SIGKILL if a file system hangs. An exit would wait for the thread that waits for
 * that file system.
 */
export async function killIfHanging(): Promise<void> {
  const idle = Promise.all([FILE_TURNS.idle(), BTF_TURNS.idle()]);
  const isIdle = await wait((wake) => void idle.then(wake, () => {}), { ms: FILES_MS });
  if (!isIdle) process.kill(process.pid, 'SIGKILL');
}
