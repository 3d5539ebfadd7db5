import type { IterateHandlesResponse } from '@btfd/api';
import { decodeListed, encodeListRequest, type ListRequest } from '@btfd/api/light';
import { abortWhenForgotten, onAbort } from './base/abort.js';
import type { Connection } from './call/connection.js';
import type { Method } from './call/methods.js';
import {
  aCount,
  aListOf,
  anAbortSignal,
  aString,
  aUint32,
  checkOptions,
  oneOf,
  type Rules,
} from './error/argument.js';
import { clientError, invalidResponse } from './error/btf-error.js';
import { IteratedHandle, type Visit } from './iterated-handle.js';
import { CloseQueue } from './lease/close-queue.js';
import { type HandleInfo, handleInfoFromMessage, type KnownOrigin } from './object/handle-info.js';
import { ORIGIN_NUMBERS } from './base/enum-numbers.js';
import { DETAIL_RULES, detailNumbers, type DetailOptions } from './object/info-detail.js';
import type { Session } from './session.js';
import { closeTokens, renewTokens } from './token-calls.js';

/** The daemon ends a stream after 30 s without a taken, closed, renewed or used handle. Two renewals may get lost. */
const RENEWAL_PERIOD_MS = 10_000;

/** ObjectFilter selects BTF objects. An option that is absent does not restrict the selection. */
export interface ObjectFilter {
  /** The origins of the objects. Default: every origin. */
  readonly origins?: readonly KnownOrigin[] | undefined;
  /**
   * Globs of which one must match the object's name: `*` stands for any characters, `?` for one, `[a-z]` for one of a
   * range. At most 100. Default: every name, also an empty one.
   */
  readonly nameGlobs?: readonly string[] | undefined;
  /** The BTF id after which to begin. Default: 0, at the beginning. */
  readonly afterId?: number | undefined;
}

/** IterateOptions are the options of an iteration. */
export interface IterateOptions extends ObjectFilter, DetailOptions {
  /** Aborting it ends the iteration, which then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** FILTER_RULES are the rules of an {@link ObjectFilter}. */
export const FILTER_RULES: Rules<ObjectFilter> = {
  origins: aListOf(oneOf(ORIGIN_NUMBERS)),
  nameGlobs: aListOf(aString),
  afterId: aUint32,
};

/** ITERATE_RULES are the rules of {@link IterateOptions}. */
export const ITERATE_RULES: Rules<IterateOptions> = {
  ...FILTER_RULES,
  ...DETAIL_RULES,
  signal: anAbortSignal,
};

/** ListObjectsOptions are the options of a list of objects. */
export interface ListObjectsOptions extends IterateOptions {
  /** The most objects that the list may have. A list with more is refused with INVALID_RESPONSE. Default: no limit. */
  readonly maxObjects?: number | undefined;
}

const LIST_RULES: Rules<ListObjectsOptions> = { ...ITERATE_RULES, maxObjects: aCount };

/** iterateHandles visits objects in id order. Each is held open until the iteration moves on, however long that takes. */
export function iterateHandles(
  session: Session,
  options: IterateOptions,
): AsyncGenerator<IteratedHandle, void, undefined> {
  const iteration = new AbortController();
  return abortWhenForgotten(visits(session, options, iteration), iteration);
}

async function* visits(
  session: Session,
  options: IterateOptions,
  iteration: AbortController,
): AsyncGenerator<IteratedHandle, void, undefined> {
  checkOptions(options, ITERATE_RULES);
  const { signal, ...filter } = options;
  const { connection, daemon, timeout, doubtful } = session;
  const stopFollowing = onAbort(signal, () => iteration.abort(signal?.reason));
  const closing = new CloseQueue(
    async (tokens) => {
      await closeTokens(connection, tokens, { timeout });
      for (const token of tokens) doubtful.delete(token);
    },
    (error) => iteration.abort(error),
  );
  const opening = openStream(connection, iterateRequest(filter), iteration.signal);
  // The next object is read ahead: its handle is renewed too, so the daemon knows that the client is alive even after
  // the current handle was taken.
  let next = readAhead(opening.then(({ first }) => first));
  try {
    for (;;) {
      const response = await next.result;
      iteration.signal.throwIfAborted();
      if (response.done === true) return;
      const { info, handle } = response.value;
      if (info === undefined) throw invalidResponse('info');
      // Only an object without an id cannot be held.
      if (handle === undefined && info.id !== 0) throw invalidResponse('handle');
      const { responses } = await opening;
      next = readAhead(responses.next());
      if (handle !== undefined) daemon.observe(handle.daemonEpoch);
      const token = handle?.token ?? null;
      const visit: Visit = { over: false, taken: null };
      const stopRenewing = renewHeld(
        session,
        () => [...(token === null ? [] : [token]), ...next.tokens],
        iteration.signal,
      );
      let left = true;
      try {
        yield new IteratedHandle(session, handleInfoFromMessage(info), token, visit);
        left = false;
      } finally {
        stopRenewing();
        visit.over = true;
        // The end of the stream must not overtake a take() in progress.
        await visit.taken?.catch(() => {});
        // The end of the stream closes the handles that it holds. It does not close a handle that the daemon leased to a
        // take() whose response was lost.
        if (token !== null && (left ? doubtful.has(token) : visit.taken === null)) closing.add(token);
      }
    }
  } finally {
    stopFollowing();
    // The read ahead would keep the stream from ending.
    iteration.abort();
    await opening.then(
      async ({ responses }) => responses.return(),
      () => {},
    );
  }
}

type Responses = AsyncGenerator<IterateHandlesResponse, void, undefined>;

/** Opens the stream and reads its first message. Until then it can be opened again without harm. */
async function openStream(
  connection: Connection,
  request: ReturnType<typeof iterateRequest>,
  signal: AbortSignal,
): Promise<{ readonly responses: Responses; readonly first: IteratorResult<IterateHandlesResponse, void> }> {
  return connection.retrying('iterateHandles', { signal }, async (limits) => {
    const responses = connection.stream('iterateHandles', { ...request, hold: true }, limits);
    return { responses, first: await responses.next() };
  });
}

/** ReadAhead is a response that is read before it is needed. */
interface ReadAhead {
  readonly result: Promise<IteratorResult<IterateHandlesResponse, void>>;
  /** The token of its handle, as soon as the response has come. */
  readonly tokens: string[];
}

function readAhead(result: ReadAhead['result']): ReadAhead {
  const tokens: string[] = [];
  result.then(
    ({ value }) => void (value?.handle && tokens.push(value.handle.token)),
    // The iteration awaits the result, and gets the error.
    () => {},
  );
  return { result, tokens };
}

/**
 * Renews the handles that a stream holds, so that the daemon does not end it. A failed renewal does no harm: the next
 * one may succeed, and the stream reports its own end.
 *
 * @param tokens called for the tokens of each renewal.
 * @param over a signal that stops the renewals.
 * @returns a function that stops them.
 */
function renewHeld(
  { connection, clock, timeout }: Session,
  tokens: () => readonly string[],
  over: AbortSignal,
): () => void {
  let cancel = (): void => {};
  const wait = (): void => {
    cancel = clock.setTimer(() => {
      const limits = { timeout: Math.min(timeout, RENEWAL_PERIOD_MS), retries: 0 };
      renewTokens(connection, tokens(), limits).catch(() => {});
      wait();
    }, RENEWAL_PERIOD_MS);
  };
  wait();
  const stopListening = onAbort(over, () => cancel());
  return () => {
    stopListening();
    cancel();
  };
}

/** listObjects returns the infos of the objects in id order, and holds none of the objects. */
export async function listObjects(
  { connection, timeout }: Session,
  options: ListObjectsOptions,
): Promise<HandleInfo[]> {
  checkOptions(options, LIST_RULES);
  const { signal, maxObjects = Infinity, ...filter } = options;
  const request = iterateRequest(filter);
  return connection.retrying(LISTING, { signal, timeout }, async (limits) => {
    const infos: HandleInfo[] = [];
    for await (const { info } of connection.streamOf(async () => LISTING, request, limits)) {
      if (info === undefined) throw invalidResponse('info');
      if (infos.length >= maxObjects)
        throw clientError('INVALID_RESPONSE', `the daemon lists more than ${maxObjects} objects`);
      infos.push(handleInfoFromMessage(info));
    }
    return infos;
  });
}

/** IterateHandles without handles. A program that only lists objects loads no messages. */
const LISTING: Method<ListRequest, IterateHandlesResponse> = {
  path: '/btf.v1.BtfService/IterateHandles',
  isRepeatable: true,
  requestSerialize: (request) => Buffer.from(encodeListRequest(request)),
  responseDeserialize: decodeListed,
};

function iterateRequest({
  origins = [],
  nameGlobs = [],
  afterId = 0,
  details = [],
}: ObjectFilter & DetailOptions) {
  return {
    afterId,
    origins: origins.map((origin) => ORIGIN_NUMBERS[origin]),
    nameGlobs: [...nameGlobs],
    details: detailNumbers(details),
  } satisfies ListRequest;
}
