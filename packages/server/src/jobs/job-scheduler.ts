import { parentPort, workerData } from 'node:worker_threads';
import { errorMessage } from '../pool/error-message.js';
import type { Item, Job, Steps } from '../pool/job.js';
import {
  CURRENT_JOB,
  STEP_COUNT,
  type FromWorker,
  type ToWorker,
  type WorkerSettings,
} from '../pool/protocol.js';

/** Sends a message to the main thread, and transfers buffers to it. */
type Send = (message: FromWorker, transfer: readonly ArrayBuffer[]) => void;

interface Running {
  readonly steps: Steps<Item>;
  /** Whether the main thread waits for its next item. */
  wanted: boolean;
}

/**
 * JobScheduler does the jobs of a worker in steps. Owners take turns, and so do the jobs of one owner, so neither a long
 * job nor many jobs delay those of another owner. A job makes an item only when it is requested, so a slow reader costs
 * no memory.
 */
export class JobScheduler {
  /** Jobs by owner. Both levels of maps are in the order of turns: an entry moves to the end after its turn. */
  readonly #jobs = new Map<string, Map<number, Running>>();
  readonly #owners = new Map<number, string>();
  #scheduled = false;
  readonly #stepsOf: (job: Job) => Steps<Item>;
  readonly #state: Int32Array;
  readonly #send: Send;
  readonly #later: (run: () => void) => void;

  /** @param later calls a function after the messages that have arrived were received. */
  constructor(
    stepsOf: (job: Job) => Steps<Item>,
    state: Int32Array,
    send: Send,
    later: (run: () => void) => void,
  ) {
    this.#stepsOf = stepsOf;
    this.#state = state;
    this.#send = send;
    this.#later = later;
  }

  /** receive handles a message of the main thread. */
  receive(message: ToWorker): void {
    const { id } = message;
    if (message.kind === 'cancel') {
      this.#remove(id);
      return;
    }
    if (message.kind === 'start') this.#add(message.owner, id, message.job);
    else this.#want(id);
    this.#schedule();
  }

  #add(owner: string, id: number, job: Job): void {
    const running = { steps: lazily(() => this.#stepsOf(job)), wanted: true };
    const jobs = this.#jobs.get(owner) ?? new Map<number, Running>();
    this.#jobs.set(owner, jobs.set(id, running));
    this.#owners.set(id, owner);
  }

  #remove(id: number): void {
    const owner = this.#owners.get(id) ?? '';
    this.#owners.delete(id);
    const jobs = this.#jobs.get(owner);
    jobs?.delete(id);
    if (jobs?.size === 0) this.#jobs.delete(owner);
  }

  #want(id: number): void {
    const job = this.#jobs.get(this.#owners.get(id) ?? '')?.get(id);
    if (job !== undefined) job.wanted = true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#later(() => this.#turn());
  }

  /** Does a step of the first wanted job, and moves the job and its owner to the end. */
  #turn(): void {
    this.#scheduled = false;
    for (const [owner, jobs] of this.#jobs) {
      const wanted = [...jobs].find(([, job]) => job.wanted);
      if (wanted === undefined) continue;
      const [id, job] = wanted;
      jobs.delete(id);
      jobs.set(id, job);
      this.#jobs.delete(owner);
      this.#jobs.set(owner, jobs);
      if (!this.#step(id, job)) this.#remove(id);
      this.#schedule();
      return;
    }
  }

  /** Does a step of a job. Returns whether the job has more steps. */
  #step(id: number, job: Running): boolean {
    Atomics.add(this.#state, STEP_COUNT, 1);
    Atomics.store(this.#state, CURRENT_JOB, id);
    try {
      const { done, value } = job.steps.next();
      if (done === true) {
        this.#send({ kind: 'end', id }, []);
        return false;
      }
      if (value !== null) {
        job.wanted = false;
        this.#send({ kind: 'item', id, item: value }, buffersOf(value));
      }
      return true;
    } catch (error) {
      this.#send({ kind: 'error', id, error: errorMessage(error) }, []);
      return false;
    } finally {
      Atomics.store(this.#state, CURRENT_JOB, 0);
    }
  }
}

/**
 * serveJobs makes this thread a worker that does jobs.
 *
 * @throws Error on the main thread.
 */
export function serveJobs(makeStepsOf: (settings: WorkerSettings) => (job: Job) => Steps<Item>): void {
  const port = parentPort;
  if (port === null) throw new Error('jobs can only be served by a worker thread');
  const settings: WorkerSettings = workerData;
  const scheduler = new JobScheduler(
    makeStepsOf(settings),
    settings.state,
    (message, transfer) => port.postMessage(message, transfer),
    setImmediate,
  );
  port.on('message', (message: ToWorker) => scheduler.receive(message));
}

/** Makes steps as part of their first one, so that an error while they are made is an error of the job. */
function* lazily(make: () => Steps<Item>): Steps<Item> {
  yield* make();
}

/** Returns the memory of an item that can be transferred. A view of a larger buffer is copied instead. */
function buffersOf(item: Item): ArrayBuffer[] {
  const bytes = item instanceof Uint8Array ? item : item.value;
  if (!(bytes instanceof Uint8Array)) return [];
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
