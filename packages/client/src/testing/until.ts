import { setTimeout } from 'node:timers/promises';

/** until waits for a condition; a test that waits in vain runs into its own timeout. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}
