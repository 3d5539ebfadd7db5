import { Worker, type WorkerOptions } from 'node:worker_threads';
import { ErrorReason } from '@btfd/api';
import { errorCode } from '../error/error-code.js';
import { ServiceError } from '../error/service-error.js';
import type { ItemOf, Job } from './job.js';
import { CURRENT_JOB, STATE_BYTES, STEP_COUNT, type FromWorker, type ToWorker } from './protocol.js';
import { Run } from './run.js';
import { startFailure } from './start-failure.js';

/** WorkerLimits bound the memory and the time per step of a worker. */
export interface WorkerLimits {
  readonly specCacheBytes: number;
  readonly workerHeapBytes: number;
  readonly workerStepMs: number;
  /** How long a thread without jobs lives. Default: 20 s. */
  readonly workerIdleMs?: number;
}

const MIB = 1024 * 1024;
/** How often a step is checked before its time is over. */
const LOOKS_PER_STEP = 10;

/** An idle thread keeps tens of MiB, and starting one takes a tenth of a second. */
const IDLE_MS = 20_000;

/** A run of any job. It only receives the messages of its own job. */
interface AnyRun {
  receive(message: FromWorker): boolean;
  fail(error: unknown): void;
}

/**
 * WorkerThread is one thread that does jobs. It ends after a time without jobs, in which it does not keep the process
 * alive. A step that takes too much time or memory ends the thread. The job of that step fails with WORK_TOO_LARGE, and
 * the others with WORKER_LOST. If the thread cannot start, its jobs fail with the reason.
 */
export class WorkerThread {
  readonly #runs = new Map<number, AnyRun>();
  readonly #owners = new Map<number, string>();
  readonly #state = new Int32Array(new SharedArrayBuffer(STATE_BYTES));
  readonly #worker: Worker;
  #watch: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #lastId = 0;
  #hasEnded = false;
  #seen = { step: 0, at: 0 };
  readonly #limits: WorkerLimits;
  readonly #onEnd: (broken: unknown) => void;

  /**
   * @param onEnd is called when the thread takes no more jobs, with the error that broke it or null.
   * @throws ServiceError if there is no thread or memory for it.
   */
  constructor(program: string, limits: WorkerLimits, onEnd: (broken: unknown) => void) {
    this.#limits = limits;
    this.#onEnd = onEnd;
    this.#worker = startWorker(program, {
      workerData: { specCacheBytes: limits.specCacheBytes, state: this.#state },
      resourceLimits: { maxOldGenerationSizeMb: limits.workerHeapBytes / MIB },
      // The worker does not inherit the daemon's exec arguments.
      execArgv: [],
    });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#broke(error));
    this.#worker.on('exit', (code) => this.#ended(workerLost(), new Error(`a worker ended with ${code}`)));
    this.#worker.unref();
  }

  /** The number of its jobs. */
  get size(): number {
    return this.#runs.size;
  }

  /** worksFor reports whether it has a job of an owner. */
  worksFor(owner: string): boolean {
    return [...this.#owners.values()].includes(owner);
  }

  /** run does a job. Each turn of the iteration requests the next item. */
  async *run<J extends Job>(
    job: J,
    owner: string,
    signal: AbortSignal,
    transfer: readonly ArrayBuffer[],
  ): AsyncGenerator<ItemOf[J['name']], void, void> {
    const id = ++this.#lastId;
    const run = new Run<ItemOf[J['name']]>();
    const aborted = (): void => run.fail(signal.reason);
    signal.addEventListener('abort', aborted);
    this.#runs.set(id, run);
    this.#owners.set(id, owner);
    this.#busy();
    try {
      let next = run.next();
      this.#send({ kind: 'start', id, owner, job }, transfer);
      for (;;) {
        const item = await next;
        if (item === null) return;
        yield item;
        next = run.next();
        this.#send({ kind: 'next', id }, []);
      }
    } finally {
      signal.removeEventListener('abort', aborted);
      this.#owners.delete(id);
      if (this.#runs.delete(id)) this.#send({ kind: 'cancel', id }, []);
      if (this.#runs.size === 0 && !this.#hasEnded) this.#idle();
    }
  }

  /** end ends the thread. Its jobs fail with the error. */
  async end(error: unknown): Promise<void> {
    this.#ended(error, null);
    await this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    const run = this.#runs.get(message.id);
    if (run?.receive(message) === true) this.#runs.delete(message.id);
  }

  #broke(error: unknown): void {
    if (Atomics.load(this.#state, STEP_COUNT) === 0) {
      // `onEnd` gets no error to log: the calls of these jobs are logged with it.
      this.#ended(startFailure(error), null);
      return;
    }
    const culprit = this.#runs.get(Atomics.load(this.#state, CURRENT_JOB));
    const outOfMemory = errorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY';
    culprit?.fail(outOfMemory ? workTooLarge('memory') : error);
    this.#ended(workerLost(), error);
  }

  #ended(error: unknown, broken: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stopWatching();
    clearTimeout(this.#idleTimer);
    for (const run of this.#runs.values()) run.fail(error);
    this.#runs.clear();
    this.#onEnd(broken);
  }

  #send(message: ToWorker, transfer: readonly ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer);
  }

  #busy(): void {
    if (this.#watch !== undefined) return;
    clearTimeout(this.#idleTimer);
    this.#worker.ref();
    this.#seen = { step: -1, at: 0 };
    this.#watch = setInterval(() => this.#look(), this.#limits.workerStepMs / LOOKS_PER_STEP).unref();
  }

  #stopWatching(): void {
    this.#worker.unref();
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  /** Ends the thread after a time. Only that gives all of its memory back. */
  #idle(): void {
    this.#stopWatching();
    const ms = this.#limits.workerIdleMs ?? IDLE_MS;
    this.#idleTimer = setTimeout(() => void this.end(workerLost()), ms).unref();
  }

  /** Ends the thread if one step takes too long. */
  #look(): void {
    const step = Atomics.load(this.#state, STEP_COUNT);
    const id = Atomics.load(this.#state, CURRENT_JOB);
    const now = performance.now();
    if (id === 0 || step !== this.#seen.step) {
      this.#seen = { step, at: now };
      return;
    }
    if (now - this.#seen.at < this.#limits.workerStepMs) return;
    const tooLarge = workTooLarge('time');
    this.#runs.get(id)?.fail(tooLarge);
    this.#ended(workerLost(), tooLarge);
    void this.#worker.terminate();
  }
}

function startWorker(program: string, options: WorkerOptions): Worker {
  try {
    return new Worker(program, options);
  } catch (error) {
    throw startFailure(error);
  }
}

/** The error of a job that took more time or memory than a job may. */
function workTooLarge(resource: 'time' | 'memory'): ServiceError {
  return new ServiceError(
    ErrorReason.WORK_TOO_LARGE,
    `the request takes more ${resource} than the daemon allows for one request`,
    { metadata: { resource } },
  );
}

/** The error of a job whose worker was broken by another job. */
function workerLost(): ServiceError {
  return new ServiceError(
    ErrorReason.WORKER_LOST,
    'another request broke the worker of this request: try again',
  );
}
