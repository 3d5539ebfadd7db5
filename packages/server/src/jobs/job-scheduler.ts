import { errorMessage } from '../pool/error-message.js';
import type { Item, Job, Steps } from '../pool/job.js';
import { CURRENT_JOB, STEP_COUNT, type FromWorker, type ToWorker } from '../pool/protocol.js';

/** Sends to the main thread, giving buffers away. */
type Send = (message: FromWorker, transfer: readonly ArrayBuffer[]) => void;

interface Running {
  readonly steps: Steps<Item>;
  /** Whether its next item was asked for. */
  wanted: boolean;
}

/**
 * JobScheduler does the jobs of a worker: one step of each owner in turn, and of each of an owner's jobs, so that neither
 * a long one nor many hold up those of others; and none beyond the item that was asked for, so that slow readers cost no
 * memory.
 */
export class JobScheduler {
  /** Jobs by owner. Both maps are in the order of turns: who had one goes to the end. */
  private readonly jobs = new Map<string, Map<number, Running>>();
  private readonly owners = new Map<number, string>();
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
      this.remove(id);
      return;
    }
    if (message.kind === 'start') this.add(message.owner, id, message.job);
    else this.want(id);
    this.schedule();
  }

  private add(owner: string, id: number, job: Job): void {
    const running = { steps: lazily(() => this.stepsOf(job)), wanted: true };
    const jobs = this.jobs.get(owner) ?? new Map<number, Running>();
    this.jobs.set(owner, jobs.set(id, running));
    this.owners.set(id, owner);
  }

  private remove(id: number): void {
    const owner = this.owners.get(id) ?? '';
    this.owners.delete(id);
    const jobs = this.jobs.get(owner);
    jobs?.delete(id);
    if (jobs?.size === 0) this.jobs.delete(owner);
  }

  private want(id: number): void {
    const job = this.jobs.get(this.owners.get(id) ?? '')?.get(id);
    if (job !== undefined) job.wanted = true;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.later(() => this.turn());
  }

  /** Does a step of the first job that is wanted. It and its owner then go behind the others. */
  private turn(): void {
    this.scheduled = false;
    for (const [owner, jobs] of this.jobs) {
      const wanted = [...jobs].find(([, job]) => job.wanted);
      if (wanted === undefined) continue;
      const [id, job] = wanted;
      jobs.delete(id);
      jobs.set(id, job);
      this.jobs.delete(owner);
      this.jobs.set(owner, jobs);
      if (!this.step(id, job)) this.remove(id);
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
