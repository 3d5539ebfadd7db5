import { ErrorReason } from '@btfd/api';
import type { Clock } from '../base/clock.js';
import { ServiceError } from '../error/service-error.js';

/** Hold is the set of handles that one stream holds open, with its bound. */
export class Hold {
  private readonly tokens = new Set<string>();
  private onRelease: (() => void) | null = null;
  private onSignOfLife: (() => void) | null = null;

  constructor(
    private readonly limit: number,
    private readonly stallMs: number,
    private readonly clock: Clock,
  ) {}

  /** The tokens of the handles held now. */
  held(): string[] {
    return [...this.tokens];
  }

  add(token: string): void {
    this.tokens.add(token);
  }

  /** Forgets a handle that was taken or closed. */
  delete(token: string): void {
    if (this.tokens.delete(token)) this.onRelease?.();
  }

  /** Takes note of a sign of life: a handle was renewed or used. */
  touch(): void {
    this.onSignOfLife?.();
  }

  /**
   * Waits until one more handle may be held.
   *
   * @throws ServiceError with HOLD_STALLED if for too long none is taken or closed, and none renewed or used.
   * @throws the signal's reason if it aborts.
   */
  async room(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.tokens.size >= this.limit) await this.released(signal);
  }

  /**
   * Waits until no handle is held: the last ones of a stream stay valid until their client is done with them.
   *
   * @throws as `room` does.
   */
  async empty(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (this.tokens.size > 0) await this.released(signal);
  }

  /** Waits until a handle is taken or closed. */
  private async released(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.onRelease = null;
        this.onSignOfLife = null;
        timer.cancel();
        signal.removeEventListener('abort', aborted);
        act();
      };
      const aborted = (): void => settle(() => reject(signal.reason));
      const wait = () => this.clock.after(this.stallMs, () => settle(() => reject(this.stalled())));
      let timer = wait();
      this.onSignOfLife = () => {
        timer.cancel();
        timer = wait();
      };
      signal.addEventListener('abort', aborted);
      this.onRelease = () => settle(resolve);
    });
  }

  private stalled(): ServiceError {
    const message = `the stream holds ${this.tokens.size} handles, and none was taken, closed, renewed or used for ${this.stallMs} ms`;
    return new ServiceError(ErrorReason.HOLD_STALLED, message, { metadata: { limit: String(this.limit) } });
  }
}
