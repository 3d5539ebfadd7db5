import type { Item, Job, Steps } from '../pool/job.js';
import { serveJobs } from '../jobs/serve-jobs.js';

/** What each job does, by its first path. */
const DEEDS: Readonly<Record<string, () => Steps<Item>>> = {
  /** Hands out a byte with each item. */
  *count() {
    for (let value = 0; value < 256; value++) yield Uint8Array.of(value);
  },
  /** Takes many steps to nothing. */
  *dawdle() {
    for (;;) yield null;
  },
  /** Is at one step for ever. */
  *spin() {
    yield Uint8Array.of(1);
    for (;;);
  },
  /** Takes all memory, in a step. */
  *eat() {
    const eaten: unknown[] = [];
    yield Uint8Array.of(1);
    for (;;) eaten.push(Array.from({ length: 1000 }, (_, index) => ({ index })));
  },
  *fail() {
    yield Uint8Array.of(1);
    throw new Error('a fault of the worker');
  },
  /** Breaks the thread from outside of its step. */
  *crash() {
    yield Uint8Array.of(1);
    setImmediate(() => {
      throw new Error('nobody catches this');
    });
    for (;;) yield null;
  },
  /** Ends the thread. */
  *exit() {
    yield Uint8Array.of(1);
    process.exit(0);
  },
};

serveJobs(() => (job: Job) => {
  const [path = ''] = job.name === 'resolve' ? job.paths : [];
  const deed = DEEDS[path];
  if (deed === undefined) throw new Error(`no deed ${path}`);
  return deed();
});
