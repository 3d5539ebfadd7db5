import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import type { Kernel, KernelObject } from './kernel.js';
import type { LoadEstimate } from '../base/load-estimate.js';
import { inSpan } from '../base/span.js';
import { wait } from '../base/wait.js';

/** A small load takes milliseconds, a large one tenths of a second. */
const RETRY_MS = 1_000;

/** LoadQueueLimits limit the loads that wait for the kernel. */
export interface LoadQueueLimits {
  readonly maxQueuedLoads: number;
  readonly maxQueuedLoadBytes: number;
}

/** LoadTimes say how long a load waited, and how long the kernel took and should have taken, in milliseconds. */
export interface LoadTimes {
  readonly waitedMs: number;
  readonly tookMs: number;
  readonly estimatedMs: number;
  /** Size of the BTF. */
  readonly btfBytes: number;
}

/** LoadTurn is the right to load the next BTF. Disposing of it lets the next load begin. */
export interface LoadTurn extends Disposable {
  /**
   * Loads BTF into the kernel. If the signal aborts meanwhile, the load continues, and the caller gets the object.
   *
   * @param estimate how long the kernel should take
   * @throws the signal's reason if it has aborted.
   * @throws the queue's end, if it has ended.
   * @throws BpfError if the kernel refuses.
   */
  load(bytes: Uint8Array, logSize: number, estimate: LoadEstimate): Promise<KernelObject>;
}

interface Waiting {
  /** Bytes of its request. */
  readonly size: number;
  /** Whether it has the turn. */
  hasTurn: boolean;
  wake(): void;
}

/**
 * LoadQueue gives one load at a time its turn, in the order in which they arrived. A load that waits can still be dropped,
 * unlike one that the kernel checks. So a load never begins if its caller has gone away or the daemon is ending.
 */
export class LoadQueue {
  readonly #kernel: Kernel;
  readonly #limits: LoadQueueLimits;
  readonly #onLoad: (times: LoadTimes) => void;
  readonly #waiting = new Set<Waiting>();
  #busy = false;
  #ended: Error | null = null;

  /** @param onLoad - is called after each load that reached the kernel, however it ended */
  constructor(kernel: Kernel, limits: LoadQueueLimits, onLoad: (times: LoadTimes) => void = () => {}) {
    this.#kernel = kernel;
    this.#limits = limits;
    this.#onLoad = onLoad;
  }

  /** The loads that wait now, and whether one has its turn. */
  get queue(): { readonly length: number; readonly bytes: number; readonly running: boolean } {
    let bytes = 0;
    for (const { size } of this.#waiting) bytes += size;
    return { length: this.#waiting.size, bytes, running: this.#busy };
  }

  /**
   * Waits until every load before this one has ended. Make the BTF only after that, so that only one load at a time takes
   * memory for it.
   *
   * @param size - bytes of the request, which count while it waits
   * @throws ServiceError with LOAD_QUEUE_FULL if too much waits.
   * @throws the signal's reason if it aborts before the turn comes.
   * @throws the queue's end, if it ends before the turn comes.
   */
  async turn(size: number, signal: AbortSignal): Promise<LoadTurn> {
    this.#throwIfOver(signal);
    const asked = performance.now();
    if (this.#busy) await this.#queued(size, signal);
    this.#busy = true;
    const waitedMs = performance.now() - asked;
    return {
      load: async (bytes, logSize, estimate) => {
        this.#throwIfOver(signal);
        return this.#load(bytes, logSize, estimate, waitedMs);
      },
      [Symbol.dispose]: () => this.#next(),
    };
  }

  /** Drops the loads that wait, and refuses later ones. A load that the kernel already checks continues. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const each of this.#waiting) each.wake();
  }

  #throwIfOver(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#ended !== null) throw this.#ended;
  }

  async #queued(size: number, signal: AbortSignal): Promise<void> {
    const { maxQueuedLoads, maxQueuedLoadBytes } = this.#limits;
    const { length, bytes } = this.queue;
    if (length >= maxQueuedLoads || bytes + size > maxQueuedLoadBytes) {
      const message = `${length} loads (${bytes} bytes in all) already wait for the kernel`;
      const metadata = { limit: String(maxQueuedLoads), limit_bytes: String(maxQueuedLoadBytes) };
      const quota = { subject: 'daemon', description: message };
      throw new ServiceError(ErrorReason.LOAD_QUEUE_FULL, message, { metadata, quota, retryMs: RETRY_MS });
    }
    const entry: Waiting = { size, hasTurn: false, wake() {} };
    await wait(
      (wake) => {
        entry.wake = wake;
        this.#waiting.add(entry);
        return () => this.#waiting.delete(entry);
      },
      { signal },
    );
    // A load that has the turn also has to pass it on, so it fails later, when it loads.
    if (!entry.hasTurn && this.#ended !== null) throw this.#ended;
  }

  async #load(
    bytes: Uint8Array,
    logSize: number,
    { acceptedMs, refusedMs }: LoadEstimate,
    waitedMs: number,
  ): Promise<KernelObject> {
    const begun = performance.now();
    let estimatedMs = refusedMs;
    try {
      const object = await inSpan('load into the kernel', () => this.#kernel.load(bytes, logSize));
      estimatedMs = acceptedMs;
      return object;
    } finally {
      this.#onLoad({ waitedMs, tookMs: performance.now() - begun, estimatedMs, btfBytes: bytes.length });
    }
  }

  /** Passes the turn on. `#busy` stays true while anything waits, so that no load overtakes another. */
  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#busy = false;
      return;
    }
    first.hasTurn = true;
    first.wake();
  }
}
