import { ErrorReason } from '@btfd/api';
import { wait } from '../base/wait.js';
import { ServiceError } from '../error/service-error.js';
import type { Encoded, RpcCall } from './rpc.js';

/** Maximum number of batches that wait to be sent: one is sent while the next is made. */
const MAX_UNSENT = 2;
/** A batch that has as much is sent at once. */
const BATCH_BYTES = 64 * 1024;
/** A batch of more small messages takes less CPU time: a turn of the event loop costs as much as some of them. */
const BATCH_MESSAGES = 32;
/**
 * Messages of all streams in one turn of the event loop, after which batches have few. Hundreds of streams may write in one
 * turn: with batches of 16, calls of others waited twice as long.
 */
const MESSAGES_PER_TURN = 64;
const FEW_MESSAGES = 2;
/** The prefix of a message of gRPC: a byte that says that it is not compressed, and its length. */
const PREFIX_BYTES = 5;

/** Batch is messages that are sent together. */
export interface Batch {
  /** The messages with their prefixes, in parts that follow each other. */
  readonly parts: readonly Uint8Array[];
  readonly messages: number;
  /** The bytes of the messages, without their prefixes. */
  readonly bytes: number;
}

/** batchOf returns a batch of one message. */
export function batchOf({ parts, length }: Encoded): Batch {
  return { parts: [prefixOf(length), ...parts], messages: 1, bytes: length };
}

function prefixOf(length: number): Uint8Array {
  const prefix = new Uint8Array(PREFIX_BYTES);
  new DataView(prefix.buffer).setUint32(1, length);
  return prefix;
}

/** BatchSender is a call that sends batches. */
export interface BatchSender extends Pick<RpcCall, 'signal' | 'throwIfAborted'> {
  /** Sends a batch, and calls back when it has left. */
  sendBatch(batch: Batch, sent: () => void): void;
}

/** Messages that all streams have written in this turn of the event loop. */
let writtenInTurn = 0;

function countInTurn(): void {
  if (writtenInTurn === 0) setImmediate(() => (writtenInTurn = 0));
  writtenInTurn += 1;
}

/**
 * PacedWriter writes messages to a stream no faster than its client reads them. Small messages that are made in one turn
 * of the event loop leave together, at a fraction of the cost.
 */
export class PacedWriter {
  readonly #sender: BatchSender;
  readonly #slowReaderMs: number;
  #parts: Uint8Array[] = [];
  #messages = 0;
  #bytes = 0;
  #unsent = 0;
  #onSent: (() => void) | null = null;

  constructor(sender: BatchSender, slowReaderMs: number) {
    this.#sender = sender;
    this.#slowReaderMs = slowReaderMs;
  }

  /**
   * Writes a message, then waits until there is room for another.
   *
   * @throws ServiceError with SLOW_READER if the client reads nothing for too long: a client that is alive but does not
   * read causes neither `cancelled` nor the end of its deadline.
   * @throws the signal's reason if it aborts.
   */
  async write(message: Encoded): Promise<void> {
    this.#sender.throwIfAborted();
    if (this.#unsent >= MAX_UNSENT) await this.#sent();
    this.#add(message);
    const most = writtenInTurn > MESSAGES_PER_TURN ? FEW_MESSAGES : BATCH_MESSAGES;
    if (this.#bytes >= BATCH_BYTES || this.#messages >= most) this.flush();
    if (this.#unsent >= MAX_UNSENT) await this.#sent();
  }

  #add({ parts, length }: Encoded): void {
    // Runs when the handler waits for something, before the loop continues.
    if (this.#messages === 0) process.nextTick(() => this.flush());
    this.#parts.push(prefixOf(length), ...parts);
    this.#messages += 1;
    this.#bytes += length;
    countInTurn();
  }

  /** Returns the messages that were written and not sent, which the caller sends. */
  rest(): Batch {
    const batch = { parts: this.#parts, messages: this.#messages, bytes: this.#bytes };
    this.#parts = [];
    this.#messages = 0;
    this.#bytes = 0;
    return batch;
  }

  /** Sends what was written until now. */
  flush(): void {
    if (this.#messages === 0) return;
    const batch = this.rest();
    this.#unsent += 1;
    this.#sender.sendBatch(batch, () => {
      this.#unsent -= 1;
      this.#onSent?.();
    });
  }

  async #sent(): Promise<void> {
    const sent = await wait(
      (wake) => {
        this.#onSent = wake;
        return () => (this.#onSent = null);
      },
      { signal: this.#sender.signal, ms: this.#slowReaderMs },
    );
    if (sent) return;
    const message = `the client read nothing for ${this.#slowReaderMs} ms`;
    throw new ServiceError(ErrorReason.SLOW_READER, message);
  }
}
