import type { Writable } from 'node:stream';

/** drained waits until a stream takes more, or never will. */
export async function drained(stream: Writable): Promise<void> {
  const events = ['drain', 'close', 'error'] as const;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
    if (stream.destroyed) done();
  });
}
