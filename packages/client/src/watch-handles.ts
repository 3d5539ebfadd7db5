import { create } from '@bufbuild/protobuf';
import {
  type WatchHandlesRequest,
  WatchHandlesRequestSchema,
  type WatchHandlesResponse,
  type WatchPosition,
} from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { anAbortSignal, checkOptions, type Rules } from './error/argument.js';
import { backoffMs, pause } from './call/backoff.js';
import { BtfError } from './error/btf-error.js';
import { endForgotten } from './lease/forgotten.js';
import { type HandleInfo, handleInfoFromMessage, ORIGIN_NUMBERS } from './object/handle-info.js';
import { FILTER_RULES, type ObjectFilter } from './iterate-handles.js';
import { methods } from './call/methods.js';
import { onAbort } from './base/on-abort.js';
import type { Session } from './session.js';
import type { WatchEvent } from './object/watch-event.js';
import { WatchedObjects } from './object/watched-objects.js';

/** WatchOptions are the options of a watch. */
export interface WatchOptions extends Pick<ObjectFilter, 'origins' | 'nameGlobs'> {
  /** Aborting it ends the watch, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const WATCH_RULES: Rules<WatchOptions> = {
  origins: FILTER_RULES.origins,
  nameGlobs: FILTER_RULES.nameGlobs,
  signal: anAbortSignal,
};

/** Where a watch is between two calls. */
interface Progress {
  readonly objects: WatchedObjects;
  /** Where the next call goes on; undefined where it has to list. */
  position: WatchPosition | undefined;
  /** Whether the reader knows of a whole list. */
  synced: boolean;
  /** Calls since the last that caught up. */
  failures: number;
}

/** watchHandles tells which objects are there, come and go. Once it is synced it goes on by itself when it is cut off. */
export function watchHandles(
  session: Session,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, void, undefined> {
  const watch = new AbortController();
  return endForgotten(watched(session, options, watch), watch);
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
        const call = create(WatchHandlesRequestSchema, { ...request, after: progress.position });
        yield* events(session, connection.stream(methods.watchHandles, call, limits), progress);
      } catch (error) {
        if (!progress.synced || !BtfError.isBtfError(error) || !isPassing(error)) throw error;
        if (LISTS_ANEW.has(error.reason ?? '')) progress.position = undefined;
      }
      progress.failures += 1;
      await pause(clock, backoffMs(progress.failures, Math.random), [watch.signal, connection.ended]);
    }
  } finally {
    stopFollowing();
  }
}

/** What one call tells the reader. */
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
        else yield objects.tell('present', handleInfoFromMessage(event.value));
        break;
      case 'added':
      case 'removed':
        progress.position = position;
        yield objects.tell(event.case, handleInfoFromMessage(event.value));
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

/** Whether an error may be another time's no more: of the way to the daemon, of its load, of its restart. */
function isPassing({ code, reason }: BtfError): boolean {
  return PASSING.has(code) || LISTS_ANEW.has(reason ?? '') || (code === status.INTERNAL && reason === null);
}

const PASSING: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.RESOURCE_EXHAUSTED,
  // The daemon, or a proxy, broke the stream: this side did not.
  status.CANCELLED,
]);

/** Reasons that say that nothing leads from the position to what is there now. */
const LISTS_ANEW: ReadonlySet<string> = new Set(['WATCH_HISTORY_GONE', 'WATCHER_TOO_SLOW']);

function watchRequest({ origins = [], nameGlobs = [] }: WatchOptions): WatchHandlesRequest {
  return create(WatchHandlesRequestSchema, {
    origins: origins.map((origin) => ORIGIN_NUMBERS[origin]),
    nameGlobs: [...nameGlobs],
  });
}
