import type { WatchHandlesResponse, WatchPosition } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { abortWhenForgotten, onAbort } from './base/abort.js';
import { pause } from './base/clock.js';
import type { RequestOf } from './call/methods.js';
import { backoffMs } from './call/retry.js';
import { anAbortSignal, checkOptions, type Rules } from './error/argument.js';
import { BtfError } from './error/btf-error.js';
import { FILTER_RULES, type ObjectFilter } from './iterate-handles.js';
import { type HandleInfo, handleInfoFromMessage } from './object/handle-info.js';
import { ORIGIN_NUMBERS } from './base/enum-numbers.js';
import { WatchedObjects, type WatchEvent } from './object/watched-objects.js';
import type { Session } from './session.js';

/** WatchOptions are the options of a watch. */
export interface WatchOptions extends Pick<ObjectFilter, 'origins' | 'nameGlobs'> {
  /** Aborting it ends the watch, which then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

const WATCH_RULES: Rules<WatchOptions> = {
  origins: FILTER_RULES.origins,
  nameGlobs: FILTER_RULES.nameGlobs,
  signal: anAbortSignal,
};

/** The state of a watch between two calls. */
interface Progress {
  readonly objects: WatchedObjects;
  /** The position after which the next call continues; undefined if it has to list the objects. */
  position: WatchPosition | undefined;
  /** Whether the reader has got a complete list. */
  synced: boolean;
  /** The number of calls since the last one that became synced. */
  failures: number;
}

/** watchHandles yields events of objects. After `synced` it resumes automatically when the connection breaks. */
export function watchHandles(
  session: Session,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, void, undefined> {
  const watch = new AbortController();
  return abortWhenForgotten(watched(session, options, watch), watch);
}

async function* watched(
  session: Session,
  options: WatchOptions,
  watch: AbortController,
): AsyncGenerator<WatchEvent, void, undefined> {
  checkOptions(options, WATCH_RULES);
  const { signal, ...filter } = options;
  const request = watchRequest(filter);
  const progress: Progress = {
    objects: new WatchedObjects(),
    position: undefined,
    synced: false,
    failures: 0,
  };
  const { connection, clock } = session;
  const limits = { signal: watch.signal };
  const stopFollowing = onAbort(signal, () => watch.abort(signal?.reason));
  try {
    for (;;) {
      try {
        const call = { ...request, after: progress.position };
        yield* events(session, connection.stream('watchHandles', call, limits), progress);
      } catch (error) {
        if (!progress.synced || !BtfError.isBtfError(error) || !isTemporary(error)) throw error;
        if (LISTS_AGAIN.has(error.reason ?? '')) progress.position = undefined;
      }
      progress.failures += 1;
      await pause(clock, backoffMs(progress.failures, Math.random()), [watch.signal, connection.ended]);
    }
  } finally {
    stopFollowing();
  }
}

/** Yields the events of one call. */
async function* events(
  { daemon }: Session,
  messages: AsyncIterable<WatchHandlesResponse>,
  progress: Progress,
): AsyncGenerator<WatchEvent, void, undefined> {
  const { objects } = progress;
  const isRelisting = progress.synced && progress.position === undefined;
  const listed: HandleInfo[] = [];
  for await (const { event, position } of messages) {
    switch (event.case) {
      case 'present':
        if (isRelisting) listed.push(handleInfoFromMessage(event.value));
        else yield objects.event('present', handleInfoFromMessage(event.value));
        break;
      case 'added':
      case 'removed':
        progress.position = position;
        yield objects.event(event.case, handleInfoFromMessage(event.value));
        break;
      case 'synced': {
        const { bootId } = event.value;
        const resumed = progress.position !== undefined;
        Object.assign(progress, { position, synced: true, failures: 0 });
        daemon.observe(position?.daemonEpoch ?? '', bootId);
        if (isRelisting) yield* objects.relisted(listed, bootId);
        else if (!resumed) yield objects.synced(bootId);
        break;
      }
      case 'bookmark':
        progress.position = position;
        break;
      case undefined:
        break;
    }
  }
}

/** Reports whether another call may succeed: after an error of the connection, of the daemon's load or of its restart. */
function isTemporary({ code, reason }: BtfError): boolean {
  return (
    TEMPORARY.has(code) || LISTS_AGAIN.has(reason ?? '') || (code === status.INTERNAL && reason === null)
  );
}

const TEMPORARY: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.RESOURCE_EXHAUSTED,
  // The daemon or a proxy cancelled the stream, since the client did not.
  status.CANCELLED,
]);

/** The reasons that say that the daemon does not know the events after the position. */
const LISTS_AGAIN: ReadonlySet<string> = new Set(['WATCH_HISTORY_GONE', 'WATCHER_TOO_SLOW']);

function watchRequest({ origins = [], nameGlobs = [] }: WatchOptions) {
  return {
    origins: origins.map((origin) => ORIGIN_NUMBERS[origin]),
    nameGlobs: [...nameGlobs],
  } satisfies RequestOf<'watchHandles'>;
}
