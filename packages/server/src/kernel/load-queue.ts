import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import type { Kernel, KernelObject } from './kernel.js';
import { inSpan } from '../base/span.js';

/** A small load takes milliseconds, a large one some tenths of a second. */
const RETRY_MS = 1_000;

/** LoadQueueLimits bound what waits for the kernel. */
export interface LoadQueueLimits {
  readonly maxQueuedLoads: number;
  readonly maxQueuedLoadBytes: number;
}

/** LoadTimes are how long a load waited, and how long the kernel took, in milliseconds. */
export interface LoadTimes {
  readonly waitedMs: number;
  readonly tookMs: number;
}

/** LoadRequest is a load that is asked for. */
export interface LoadRequest {
  /** Bytes of the request, which counts while it waits. */
  readonly size: number;
  /**
   * Makes the BTF, once it is this load's turn: so that not more than one is made at a time. What it throws, the
   * caller gets; the kernel is not asked then.
   */
  prepare(): Promise<Uint8Array>;
  readonly logSize: number;
}

/** Waiting is a load that waits. */
interface Waiting {
  begin(): void;
  drop(reason: unknown): void;
}

/**
 * LoadQueue loads one BTF at a time. What waits can still be dropped, which the kernel's check can't: so a load
 * whose caller went away, or that the daemon's end overtakes, is never begun.
 */
export class LoadQueue {
  private readonly waiting = new Set<Waiting>();
  private waitingBytes = 0;
  private busy = false;
  private ended: Error | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly limits: LoadQueueLimits,
    /** Told of every load that the kernel was asked for, however it ended. */
    private readonly onLoad: (times: LoadTimes) => void = () => {},
  ) {}

  /** What waits now, and whether the kernel checks a load. */
  get queue(): { readonly length: number; readonly bytes: number; readonly running: boolean } {
    return { length: this.waiting.size, bytes: this.waitingBytes, running: this.busy };
  }

  /**
   * Loads BTF once every load before it has ended.
   *
   * @throws ServiceError with LOAD_QUEUE_FULL if too much waits.
   * @throws the signal's reason if it aborts before the load begins; later the load goes on.
   * @throws what `prepare` and the kernel's `load` do.
   */
  async load(request: LoadRequest, signal: AbortSignal): Promise<KernelObject> {
    signal.throwIfAborted();
    this.throwIfEnded();
    const asked = performance.now();
    if (this.busy) await this.turn(request.size, signal);
    this.busy = true;
    const begun = performance.now();
    try {
      const bytes = await request.prepare();
      signal.throwIfAborted();
      this.throwIfEnded();
      return await this.askKernel(bytes, request.logSize, begun - asked);
    } finally {
      this.next();
    }
  }

  private async askKernel(bytes: Uint8Array, logSize: number, waitedMs: number): Promise<KernelObject> {
    const begun = performance.now();
    try {
      return await inSpan('load into the kernel', () => this.kernel.load(bytes, logSize));
    } finally {
      this.onLoad({ waitedMs, tookMs: performance.now() - begun });
    }
  }

  /** Drops what waits, and refuses what comes. What the kernel checks already goes on. */
  end(reason: Error): void {
    this.ended = reason;
    for (const each of this.waiting) each.drop(reason);
  }

  private throwIfEnded(): void {
    if (this.ended !== null) throw this.ended;
  }

  private async turn(bytes: number, signal: AbortSignal): Promise<void> {
    const { maxQueuedLoads, maxQueuedLoadBytes } = this.limits;
    if (this.waiting.size >= maxQueuedLoads || this.waitingBytes + bytes > maxQueuedLoadBytes) {
      const message = `${this.waiting.size} loads of ${this.waitingBytes} bytes in all wait for the kernel already`;
      const metadata = { limit: String(maxQueuedLoads), limit_bytes: String(maxQueuedLoadBytes) };
      const quota = { subject: 'daemon', description: message };
      throw new ServiceError(ErrorReason.LOAD_QUEUE_FULL, message, { metadata, quota, retryMs: RETRY_MS });
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.waiting.delete(entry);
        this.waitingBytes -= bytes;
        signal.removeEventListener('abort', aborted);
      };
      const aborted = (): void => entry.drop(signal.reason);
      const entry: Waiting = {
        begin() {
          leave();
          resolve();
        },
        drop(reason) {
          leave();
          reject(reason);
        },
      };
      this.waiting.add(entry);
      this.waitingBytes += bytes;
      signal.addEventListener('abort', aborted);
    });
  }

  /** Hands the turn on: `busy` stays while anything waits, so that nobody overtakes. */
  private next(): void {
    const [first] = this.waiting;
    if (first === undefined) this.busy = false;
    else first.begin();
  }
}
