import { errorMessage } from './error-message.js';
import type { Item, Job, Steps } from './job.js';
import { CURRENT_JOB, STEP_COUNT, type FromWorker, type ToWorker } from './protocol.js';

/** Sends to the main thread, giving buffers away. */
type Send = (message: FromWorker, transfer: readonly ArrayBuffer[]) => void;

interface Running {
  readonly steps: Steps<Item>;
  /** Whether its next item was asked for. */
  wanted: boolean;
}

/**
 * JobScheduler does the jobs of a worker: one step of each in turn, so that a long one doesn't hold up the others, and
 * none beyond the item that was asked for, so that slow readers cost no memory.
 */
export class JobScheduler {
  private readonly jobs = new Map<number, Running>();
  private scheduled = false;

  constructor(
    private readonly stepsOf: (job: Job) => Steps<Item>,
    private readonly state: Int32Array,
    private readonly send: Send,
    /** Runs a function once messages that came were received. */
    private readonly later: (run: () => void) => void,
  ) {}

  /** Takes a message of the main thread. */
  receive(message: ToWorker): void {
    const { id } = message;
    if (message.kind === 'cancel') {
      this.jobs.delete(id);
      return;
    }
    if (message.kind === 'start')
      this.jobs.set(id, { steps: lazily(() => this.stepsOf(message.job)), wanted: true });
    else this.want(id);
    this.schedule();
  }

  private want(id: number): void {
    const job = this.jobs.get(id);
    if (job !== undefined) job.wanted = true;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.later(() => this.turn());
  }

  /** Does a step of the first job that is wanted, which then goes behind the others. */
  private turn(): void {
    this.scheduled = false;
    for (const [id, job] of this.jobs) {
      if (!job.wanted) continue;
      this.jobs.delete(id);
      if (this.step(id, job)) this.jobs.set(id, job);
      this.schedule();
      return;
    }
  }

  /** Says whether there are more. */
  private step(id: number, job: Running): boolean {
    Atomics.add(this.state, STEP_COUNT, 1);
    Atomics.store(this.state, CURRENT_JOB, id);
    try {
      const { done, value } = job.steps.next();
      if (done === true) {
        this.send({ kind: 'end', id }, []);
        return false;
      }
      if (value !== null) {
        job.wanted = false;
        this.send({ kind: 'item', id, item: value }, buffersOf(value));
      }
      return true;
    } catch (error) {
      this.send({ kind: 'error', id, error: errorMessage(error) }, []);
      return false;
    } finally {
      Atomics.store(this.state, CURRENT_JOB, 0);
    }
  }
}

/** Steps whose making is a part of their first one. */
function* lazily(make: () => Steps<Item>): Steps<Item> {
  yield* make();
}

/** The memory of an item that the main thread is given. A view of a larger buffer is copied. */
function buffersOf(item: Item): ArrayBuffer[] {
  const bytes = item instanceof Uint8Array ? item : item.value;
  if (!(bytes instanceof Uint8Array)) return [];
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
