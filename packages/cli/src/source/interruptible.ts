/**
 * interruptible waits for something, or for the interruption of the wait, of which what is waited for need not know.
 *
 * @throws the reason of the interruption.
 */
export async function interruptible<T>(wait: Promise<T>, interrupted: AbortSignal): Promise<T> {
  interrupted.throwIfAborted();
  // Its failure after an interruption has nobody to tell.
  wait.catch(() => {});
  let stop = (): void => {};
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(interrupted.reason);
    interrupted.addEventListener('abort', end);
    stop = () => interrupted.removeEventListener('abort', end);
  });
  try {
    return await Promise.race([wait, ended]);
  } finally {
    stop();
  }
}
