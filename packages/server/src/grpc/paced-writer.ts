import { ErrorReason } from '@btfd/api';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { wait } from '../base/wait.js';
import { ServiceError } from '../error/service-error.js';

/** Maximum number of messages that wait to be sent: one is sent while the next is made. The stream itself would take 16. */
const MAX_UNSENT = 2;

/** PacedWriter writes messages to a stream no faster than its client reads them. */
export class PacedWriter<Message> {
  readonly #call: Pick<ServerWritableStream<unknown, Message>, 'write'>;
  readonly #signal: AbortSignal;
  readonly #slowReaderMs: number;
  #unsent = 0;
  #onSent: (() => void) | null = null;

  constructor(
    call: Pick<ServerWritableStream<unknown, Message>, 'write'>,
    signal: AbortSignal,
    slowReaderMs: number,
  ) {
    this.#call = call;
    this.#signal = signal;
    this.#slowReaderMs = slowReaderMs;
  }

  /**
   * Writes a message, then waits until there is room for another.
   *
   * @throws ServiceError with SLOW_READER if the client reads nothing for too long: a client that is alive but does not
   * read causes neither `cancelled` nor the end of its deadline.
   * @throws the signal's reason if it aborts.
   */
  async write(message: Message): Promise<void> {
    this.#signal.throwIfAborted();
    this.#unsent += 1;
    this.#call.write(message, () => {
      this.#unsent -= 1;
      this.#onSent?.();
    });
    if (this.#unsent >= MAX_UNSENT) await this.#sent();
  }

  async #sent(): Promise<void> {
    const sent = await wait(
      (wake) => {
        this.#onSent = wake;
        return () => (this.#onSent = null);
      },
      { signal: this.#signal, ms: this.#slowReaderMs },
    );
    if (sent) return;
    const message = `the client read nothing for ${this.#slowReaderMs} ms`;
    throw new ServiceError(ErrorReason.SLOW_READER, message);
  }
}
