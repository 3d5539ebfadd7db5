import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  WatchHandlesRequestSchema,
  WatchHandlesResponseSchema,
  type WatchHandlesResponse,
  type WatchPosition,
} from '@btfd/api';
import { watchHandles } from '../rpc/watch-handles.js';
import type { Services } from '../rpc/services.js';
import { callBy, LOADER } from './callers.js';

/** Watching is a call of WatchHandles, read message by message. */
export class Watching {
  readonly #abort = new AbortController();
  readonly #messages: AsyncIterator<MessageInitShape<typeof WatchHandlesResponseSchema>>;
  /** The last received position. */
  position: WatchPosition | undefined;

  constructor(
    services: Services,
    request: Omit<MessageInitShape<typeof WatchHandlesRequestSchema>, '$typeName'> = {},
    caller = LOADER,
  ) {
    const stream = watchHandles(services)(
      create(WatchHandlesRequestSchema, request),
      callBy(caller, this.#abort.signal),
    );
    this.#messages = stream[Symbol.asyncIterator]();
  }

  /** next returns the next message. */
  async next(): Promise<WatchHandlesResponse> {
    const { done, value } = await this.#messages.next();
    if (done === true) throw new Error('the stream ended');
    const message = create(WatchHandlesResponseSchema, value);
    this.position = message.position ?? this.position;
    return message;
  }

  /** take returns the next messages in short, such as `added 4 xfs`. */
  async take(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) texts.push(short(await this.next()));
    return texts;
  }

  /** sync returns the messages up to `synced`, in short. */
  async sync(): Promise<string[]> {
    const texts: string[] = [];
    while (texts.at(-1) !== 'synced') texts.push(short(await this.next()));
    return texts;
  }

  /** cancel ends the call like a client that cancels it. */
  cancel(reason: Error): void {
    this.#abort.abort(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#messages.return?.();
  }
}

function short({ event }: WatchHandlesResponse): string {
  switch (event.case) {
    case 'present':
    case 'added':
    case 'removed': {
      const { id, name, removed } = event.value;
      return [event.case, id, name, removed ? '(removed)' : ''].filter((part) => part !== '').join(' ');
    }
    case 'synced':
    case 'bookmark':
    case undefined:
      return event.case ?? 'nothing';
  }
}
