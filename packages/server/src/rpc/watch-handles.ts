import { durationMs, type Duration } from '@bufbuild/protobuf/wkt';
import { ErrorReason, type WatchHandlesResponseSchema, type WatchPosition } from '@btfd/api';
import { invalidRequest, ServiceError } from '../error/service-error.js';
import type { Init } from '../base/message.js';
import type { Rpc } from '../grpc/rpc.js';
import { infoMessage } from './handle-message.js';
import { readBootId } from '../kernel/features.js';
import type { Limits } from '../config/limits.js';
import type { Services } from './services.js';
import type { WatchEvent } from '../watch/event-log.js';
import type { Watcher } from '../watch/watcher.js';
import { objectFilter } from './object-filter.js';

type Message = Init<typeof WatchHandlesResponseSchema>;
type Event = NonNullable<Message['event']>;

/** watchHandles serves WatchHandles. */
export function watchHandles({ watch, handles, limits, clock }: Services): Rpc<'watchHandles'> {
  const bootId = readBootId();
  return async function* (request, { signal, caller }) {
    const matches = objectFilter(request, caller);
    const bookmarkMs = bookmarkInterval(request.bookmarkInterval, limits);
    const after = request.after === undefined ? null : sequenceOf(request.after, handles.epoch);
    using watcher = await watch.open();
    const here = (event: Event): Message => ({
      event,
      position: { daemonEpoch: handles.epoch, sequence: BigInt(watcher.position) },
    });
    if (after === null) {
      for (const info of watcher.start()) {
        if (matches(info)) yield { event: { case: 'present', value: infoMessage(info) } };
      }
    } else {
      resume(watcher, after, handles.epoch);
      for (const end = watcher.last; watcher.position < end;) {
        const event = await watcher.next(0, signal);
        if (event !== null && matches(event.info)) yield here(eventMessage(event));
      }
    }
    yield here({ case: 'synced', value: { bootId } });
    let bookmarkAt = clock.now() + bookmarkMs;
    for (;;) {
      const event = await watcher.next(Math.max(0, bookmarkAt - clock.now()), signal);
      if (event !== null && matches(event.info)) yield here(eventMessage(event));
      else if (clock.now() >= bookmarkAt) yield here({ case: 'bookmark', value: {} });
      else continue;
      bookmarkAt = clock.now() + bookmarkMs;
    }
  };
}

function bookmarkInterval(interval: Duration | undefined, limits: Limits): number {
  if (interval === undefined) return limits.defaultBookmarkMs;
  const asked = durationMs(interval);
  if (!(asked > 0)) throw invalidRequest('bookmark_interval', 'must be positive');
  return Math.min(limits.maxBookmarkMs, Math.max(limits.minBookmarkMs, asked));
}

function sequenceOf({ daemonEpoch, sequence }: WatchPosition, epoch: string): bigint {
  if (daemonEpoch === '') throw invalidRequest('after.daemon_epoch', 'is required');
  if (daemonEpoch !== epoch) throw historyGone('the position belongs to another run of the daemon', epoch);
  return sequence;
}

function resume(watcher: Watcher, sequence: bigint, epoch: string): void {
  if (sequence > BigInt(watcher.last)) {
    throw invalidRequest('after.sequence', `is ahead of the last event, which is ${watcher.last}`);
  }
  if (watcher.resume(Number(sequence))) return;
  throw historyGone(`the daemon no longer remembers the events after ${sequence}`, epoch);
}

function historyGone(why: string, epoch: string): ServiceError {
  return new ServiceError(ErrorReason.WATCH_HISTORY_GONE, `${why}: start again without a position`, {
    metadata: { daemon_epoch: epoch },
  });
}

function eventMessage({ kind, info }: WatchEvent): Event {
  return kind === 'added'
    ? { case: kind, value: infoMessage(info) }
    : { case: kind, value: infoMessage(info, { removed: true }) };
}
