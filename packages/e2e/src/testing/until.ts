import { setTimeout } from 'node:timers/promises';

/** until waits until a condition holds. @throws Error with the description after a timeout, by default 4 minutes. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 240_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await setTimeout(20);
  }
}
