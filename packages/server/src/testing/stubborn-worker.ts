import type { Item, Job, Steps } from '../pool/job.js';
import { serveJobs } from '../jobs/job-scheduler.js';

/** The steps of each job, by its first path. */
const DEEDS: Readonly<Record<string, () => Steps<Item>>> = {
  /** Makes a byte with each item. */
  *count() {
    for (let value = 0; value < 256; value++) yield Uint8Array.of(value);
  },
  /** Takes endless steps without an item. */
  *dawdle() {
    for (;;) yield null;
  },
  /** Never ends its second step. */
  *spin() {
    yield Uint8Array.of(1);
    for (;;);
  },
  /** Takes all memory in one step. */
  *eat() {
    const eaten: unknown[] = [];
    yield Uint8Array.of(1);
    for (;;) eaten.push(Array.from({ length: 1000 }, (_, index) => ({ index })));
  },
  *fail() {
    yield Uint8Array.of(1);
    throw new Error('a fault of the worker');
  },
  /** Breaks the thread outside of its step. */
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
