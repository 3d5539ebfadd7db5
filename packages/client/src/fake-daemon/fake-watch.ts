import { once } from 'node:events';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { WatchHandlesRequest, WatchHandlesResponseSchema } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import type { FakeEvent, FakeKernel } from './fake-kernel.js';
import { objectFilter } from './fake-selection.js';

type Message = MessageInitShape<typeof WatchHandlesResponseSchema>;

/** FakeWatch serves WatchHandles in one run of a fake daemon. It remembers every event of the run until {@link forget}. */
export class FakeWatch {
  readonly #kernel: FakeKernel;
  readonly #epoch: string;
  readonly #bootId: string;
  /** The first event of the kernel that this run remembers. */
  #start: number;

  constructor(kernel: FakeKernel, epoch: string, bootId: string) {
    this.#kernel = kernel;
    this.#epoch = epoch;
    this.#bootId = bootId;
    this.#start = kernel.events.length;
  }

  /** Forgets all past events. */
  forget(): void {
    this.#start = this.#kernel.events.length;
  }

  /** Yields the responses of WatchHandles until the signal aborts. @throws BtfError WATCH_HISTORY_GONE. */
  async *serve(
    { origins, nameGlobs, after }: WatchHandlesRequest,
    signal: AbortSignal,
  ): AsyncGenerator<Message, void, undefined> {
    const { events, objects, changes } = this.#kernel;
    const matches = objectFilter(origins, nameGlobs);
    const here = (sequence: number) => ({ daemonEpoch: this.#epoch, sequence: BigInt(sequence) });
    let at = events.length;
    if (after === undefined) {
      for (const object of objects.filter(matches))
        yield { event: { case: 'present', value: object.info() } };
    } else {
      at = Number(after.sequence);
      if (after.daemonEpoch !== this.#epoch || at < this.#start) throw historyGone(this.#epoch);
    }
    for (let isSynced = false; !signal.aborted;) {
      for (let event = events[at]; event !== undefined; event = events[at]) {
        at += 1;
        if (matches(event.object)) yield { event: messageOf(event), position: here(at) };
      }
      if (!isSynced) yield { event: { case: 'synced', value: { bootId: this.#bootId } }, position: here(at) };
      isSynced = true;
      await once(changes, 'change', { signal }).catch(() => {});
    }
  }
}

function messageOf({ kind, object }: FakeEvent): NonNullable<Message['event']> {
  return { case: kind, value: { ...object.info(), removed: kind === 'removed' } };
}

function historyGone(epoch: string): BtfError {
  return new BtfError({
    code: status.OUT_OF_RANGE,
    reason: 'WATCH_HISTORY_GONE',
    message: 'the events after that position are no longer known',
    metadata: { daemon_epoch: epoch },
  });
}
