import { setTimeout } from 'node:timers/promises';

/** until waits for a condition. A test that waits in vain runs into its own timeout. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}

/** rejection returns the error that a promise rejects with. @throws Error if the promise resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('resolved instead of being rejected');
    },
    (error: unknown) => error,
  );
}
