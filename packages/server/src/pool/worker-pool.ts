import { createRequire } from 'node:module';
import type { ItemOf, Job, JobRunner } from './job.js';
import { Semaphore } from './semaphore.js';
import { WorkerThread, type WorkerLimits } from './worker-thread.js';

/** WorkerPoolLimits bound the number of workers and of jobs at one time. */
export interface WorkerPoolLimits extends WorkerLimits {
  readonly workers: number;
  readonly maxJobs: number;
  readonly maxJobsPerPrincipal: number;
  /** Of checks of BPF objects. */
  readonly maxChecks: number;
  readonly maxChecksPerPrincipal: number;
}

/** WorkerUsage is the state of the workers at one time. */
export interface WorkerUsage {
  /** Threads with a job, and threads without one, which end after a time. */
  readonly busy: number;
  readonly idle: number;
  /** Checks of BPF objects, and other jobs, that wait because as many as allowed are being done. */
  readonly waitingChecks: number;
  readonly waitingJobs: number;
  /** Threads that broke since the start: a step took too much time or memory, or the thread failed. */
  readonly broken: number;
}

/** The package's name for the worker's program. It is the compiled file even if tests run the sources. */
const PROGRAM = createRequire(import.meta.url).resolve('#worker');

/** WorkerPool does jobs on threads. It starts a thread when it is needed, and replaces one that ended. Idle threads end. */
export class WorkerPool implements JobRunner {
  readonly #threads = new Set<WorkerThread>();
  readonly #jobs: Semaphore;
  readonly #checks: Semaphore;
  #ending: { readonly reason: unknown } | null = null;
  #broken = 0;

  readonly #limits: WorkerPoolLimits;
  readonly #onBroken: (error: unknown) => void;
  readonly #program;

  /** @param onBroken is called with the error that broke a worker. */
  constructor(limits: WorkerPoolLimits, onBroken: (error: unknown) => void, program = PROGRAM) {
    this.#limits = limits;
    this.#onBroken = onBroken;
    this.#program = program;
    this.#jobs = new Semaphore(limits.maxJobs, limits.maxJobsPerPrincipal);
    this.#checks = new Semaphore(limits.maxChecks, limits.maxChecksPerPrincipal);
  }

  /** The number of threads. */
  get size(): number {
    return this.#threads.size;
  }

  /** The state of the threads. */
  get usage(): WorkerUsage {
    const busy = [...this.#threads].filter(({ size }) => size > 0).length;
    return {
      busy,
      idle: this.#threads.size - busy,
      waitingChecks: this.#checks.waiting,
      waitingJobs: this.#jobs.waiting,
      broken: this.#broken,
    };
  }

  async *run<J extends Job>(
    job: J,
    principal: string,
    signal: AbortSignal,
    transfer: readonly ArrayBuffer[] = [],
  ): AsyncGenerator<ItemOf[J['name']], void, void> {
    signal.throwIfAborted();
    const places = this.#placesFor(job);
    await places?.take(principal, signal);
    try {
      if (this.#ending !== null) throw this.#ending.reason;
      yield* this.#thread(principal).run(job, principal, signal, transfer);
    } finally {
      places?.free(principal);
    }
  }

  /** end ends all threads. Jobs in progress and later ones fail with the reason. */
  async end(reason: unknown): Promise<void> {
    this.#ending = { reason };
    await Promise.all([...this.#threads].map(async (thread) => thread.end(reason)));
  }

  /** Returns the places of which a job needs one; null if it needs none. */
  #placesFor({ name }: Job): Semaphore | null {
    // Loads take turns in a queue. A load that waited here for slow readers of its principal would delay all others.
    if (name === 'load') return null;
    return name === 'check' ? this.#checks : this.#jobs;
  }

  /**
   * Returns a thread for a principal: an idle one, otherwise a new one, otherwise the one with the fewest jobs. If there
   * are several threads, one is left for other principals: steps cannot be interrupted, so a principal with long steps
   * would hold all threads.
   */
  #thread(principal: string): WorkerThread {
    const own = [...this.#threads].filter((thread) => thread.worksFor(principal));
    const mayMore = own.length < Math.max(1, this.#limits.workers - 1);
    const [least] = (mayMore ? [...this.#threads] : own).toSorted((a, b) => a.size - b.size);
    const isNew = mayMore && this.#threads.size < this.#limits.workers;
    if (least !== undefined && (least.size === 0 || !isNew)) return least;
    const thread: WorkerThread = new WorkerThread(this.#program, this.#limits, (broken) => {
      this.#threads.delete(thread);
      if (broken === null) return;
      this.#broken += 1;
      this.#onBroken(broken);
    });
    this.#threads.add(thread);
    return thread;
  }
}
