import { once } from 'node:events';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { WatchHandlesRequest, WatchHandlesResponseSchema } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { CallFailure } from './call-failure.js';
import type { FailureInit } from './failure.js';
import { infoOf } from './fake-info.js';
import type { FakeObject } from './fake-daemon.js';

type Response = MessageInitShape<typeof WatchHandlesResponseSchema>;

/** FakeWatch serves WatchHandles from a list of objects that a test adds to and removes from. */
export class FakeWatch {
  /** Each request of WatchHandles. */
  readonly requests: WatchHandlesRequest[] = [];
  bootId = 'boot-1';
  /** How many of the first events are forgotten. */
  forgotten = 0;
  readonly #objects: FakeObject[];
  #log: { readonly kind: 'added' | 'removed'; readonly object: FakeObject }[] = [];
  readonly #changed = new EventTarget();
  #cuts = 0;
  #cutWith: FailureInit = { code: status.UNAVAILABLE };

  constructor(objects: FakeObject[]) {
    this.#objects = objects;
  }

  add(object: FakeObject): void {
    this.#objects.push(object);
    this.#tell('added', object);
  }

  remove(id: number): void {
    const index = this.#objects.findIndex((object) => object.id === id);
    for (const object of this.#objects.splice(index, 1)) this.#tell('removed', object);
  }

  /** Ends the calls that are open. */
  cutOff(failure: FailureInit = { code: status.UNAVAILABLE }): void {
    this.#cuts += 1;
    this.#cutWith = failure;
    this.#changed.dispatchEvent(new Event('change'));
  }

  /** Forgets all events, as a daemon that was started anew. */
  restart(): void {
    this.#log = [];
    this.cutOff();
  }

  async *serve(
    request: WatchHandlesRequest,
    epoch: () => string,
    signal: AbortSignal,
  ): AsyncGenerator<Response> {
    this.requests.push(request);
    const { after } = request;
    const here = (sequence: number) => ({ daemonEpoch: epoch(), sequence: BigInt(sequence) });
    let at = this.#log.length;
    if (after === undefined) {
      for (const object of this.#objects.slice()) yield { event: { case: 'present', value: infoOf(object) } };
    } else {
      at = Number(after.sequence);
      if (after.daemonEpoch !== epoch() || at < this.forgotten) {
        throw new CallFailure({ code: status.OUT_OF_RANGE, reason: 'WATCH_HISTORY_GONE' });
      }
    }
    const cuts = this.#cuts;
    for (let synced = false; !signal.aborted;) {
      if (this.#cuts > cuts) throw new CallFailure(this.#cutWith);
      for (let event = this.#log[at]; event !== undefined; event = this.#log[at]) {
        at += 1;
        const value = { ...infoOf(event.object), removed: event.kind === 'removed' };
        yield { event: { case: event.kind, value }, position: here(at) };
      }
      if (!synced) yield { event: { case: 'synced', value: { bootId: this.bootId } }, position: here(at) };
      synced = true;
      await once(this.#changed, 'change', { signal }).catch(() => {});
    }
  }

  #tell(kind: 'added' | 'removed', object: FakeObject): void {
    this.#log.push({ kind, object });
    this.#changed.dispatchEvent(new Event('change'));
  }
}
