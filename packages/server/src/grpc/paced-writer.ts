import { ErrorReason } from '@btfd/api';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { ServiceError } from '../error/service-error.js';

/**
 * Messages that wait to be sent at most: one is being sent while the next is made. The stream itself
 * would take 16.
 */
const MAX_UNSENT = 2;

/** PacedWriter writes messages to a stream no faster than its client reads them. */
export class PacedWriter<Message> {
  private unsent = 0;
  private onSent: (() => void) | null = null;

  constructor(
    private readonly call: Pick<ServerWritableStream<unknown, Message>, 'write'>,
    private readonly signal: AbortSignal,
    private readonly slowReaderMs: number,
  ) {}

  /**
   * Writes a message, and waits until there is room for one more.
   *
   * @throws ServiceError with SLOW_READER if the client reads nothing for too long: a client that is alive and
   * doesn't read brings neither `cancelled` nor a deadline.
   * @throws the signal's reason if it aborts.
   */
  async write(message: Message): Promise<void> {
    this.signal.throwIfAborted();
    this.unsent += 1;
    this.call.write(message, () => {
      this.unsent -= 1;
      this.onSent?.();
    });
    if (this.unsent >= MAX_UNSENT) await this.sent();
  }

  private async sent(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.onSent = null;
        this.signal.removeEventListener('abort', aborted);
        act();
      };
      const aborted = (): void => settle(() => reject(this.signal.reason));
      const timer = setTimeout(() => settle(() => reject(this.slowReader())), this.slowReaderMs);
      this.onSent = () => settle(resolve);
      this.signal.addEventListener('abort', aborted);
    });
  }

  private slowReader(): ServiceError {
    return new ServiceError(ErrorReason.SLOW_READER, `the client read nothing for ${this.slowReaderMs} ms`);
  }
}
