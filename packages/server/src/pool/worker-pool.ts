import { createRequire } from 'node:module';
import type { ItemOf, Job, JobRunner } from './job.js';
import { Places } from './places.js';
import { WorkerThread, type WorkerLimits } from './worker-thread.js';

/** WorkerPoolLimits bound the workers and what they do at a time. */
export interface WorkerPoolLimits extends WorkerLimits {
  readonly workers: number;
  readonly maxJobs: number;
  readonly maxJobsPerPrincipal: number;
}

/** By the package's own name for it, which is the compiled file also where tests run the sources. */
const PROGRAM = createRequire(import.meta.url).resolve('#worker');

/** WorkerPool does jobs on threads, which it starts when they are needed and replaces when they end. */
export class WorkerPool implements JobRunner {
  private readonly threads = new Set<WorkerThread>();
  private readonly places: Places;
  private ending: { readonly reason: unknown } | null = null;

  /** @param onBroken is told what broke a worker. */
  constructor(
    private readonly limits: WorkerPoolLimits,
    private readonly onBroken: (error: unknown) => void,
    private readonly program = PROGRAM,
  ) {
    this.places = new Places(limits.maxJobs, limits.maxJobsPerPrincipal);
  }

  async *run<J extends Job>(
    job: J,
    principal: string,
    signal: AbortSignal,
    transfer: readonly ArrayBuffer[] = [],
  ): AsyncGenerator<ItemOf[J['name']], void, void> {
    signal.throwIfAborted();
    // Loads come one at a time, and one that waited for its principal's readers would keep those of others waiting.
    const needsPlace = job.name !== 'load';
    if (needsPlace) await this.places.take(principal, signal);
    try {
      if (this.ending !== null) throw this.ending.reason;
      yield* this.thread(principal).run(job, principal, signal, transfer);
    } finally {
      if (needsPlace) this.places.free(principal);
    }
  }

  /** Ends all threads; what they do, and what comes later, fails with the reason. */
  async end(reason: unknown): Promise<void> {
    this.ending = { reason };
    await Promise.all([...this.threads].map(async (thread) => thread.end(reason)));
  }

  /**
   * Among the threads that a principal may have: an idle one, else a new one, else the one with the fewest jobs. One
   * is left for others, where there are several: steps cannot be interrupted, and who has long ones would have all.
   */
  private thread(principal: string): WorkerThread {
    const own = [...this.threads].filter((thread) => thread.worksFor(principal));
    const mayMore = own.length < Math.max(1, this.limits.workers - 1);
    const [least] = (mayMore ? [...this.threads] : own).toSorted((a, b) => a.size - b.size);
    const isNew = mayMore && this.threads.size < this.limits.workers;
    if (least !== undefined && (least.size === 0 || !isNew)) return least;
    const thread: WorkerThread = new WorkerThread(this.program, this.limits, (broken) => {
      this.threads.delete(thread);
      if (broken !== null) this.onBroken(broken);
    });
    this.threads.add(thread);
    return thread;
  }
}
