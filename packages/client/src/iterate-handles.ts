import { create } from '@bufbuild/protobuf';
import {
  type IterateHandlesRequest,
  IterateHandlesRequestSchema,
  type IterateHandlesResponse,
} from '@btfd/api';
import {
  aListOf,
  anAbortSignal,
  aString,
  aUint32,
  checkOptions,
  oneOf,
  type Rules,
} from './error/argument.js';
import { CloseQueue } from './lease/close-queue.js';
import type { Connection } from './call/connection.js';
import { endForgotten } from './lease/forgotten.js';
import {
  type HandleInfo,
  handleInfoFromMessage,
  type KnownOrigin,
  ORIGIN_NUMBERS,
} from './object/handle-info.js';
import { DETAIL_RULES, detailNumbers, type DetailOptions } from './object/info-detail.js';
import { invalidResponse } from './error/invalid-response.js';
import { IteratedHandle, type Visit } from './iterated-handle.js';
import { methods } from './call/methods.js';
import { onAbort } from './base/on-abort.js';
import { renewHeld } from './renew-held.js';
import type { Session } from './session.js';
import { closeTokens } from './token-calls.js';

/** ObjectFilter says which BTF objects are meant; everything where it says nothing. */
export interface ObjectFilter {
  /** Objects of these origins. Default: of any. */
  readonly origins?: readonly KnownOrigin[] | undefined;
  /**
   * Objects whose name matches one of these globs: `*` stands for any characters, `?` for one, `[a-z]`
   * for one of a range. At most 100. Default: any name, even none.
   */
  readonly nameGlobs?: readonly string[] | undefined;
  /** Objects behind this BTF id. Default: from the beginning. */
  readonly afterId?: number | undefined;
}

/** IterateOptions are the options of an iteration. */
export interface IterateOptions extends ObjectFilter, DetailOptions {
  /** Aborting it ends the iteration, which then rejects with the signal's reason. */
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

/**
 * iterateHandles visits objects in the order of ids, each held open until the iteration moves on, however long that
 * takes.
 */
export function iterateHandles(
  session: Session,
  options: IterateOptions,
): AsyncGenerator<IteratedHandle, void, undefined> {
  const iteration = new AbortController();
  return endForgotten(visits(session, options, iteration), iteration);
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
  const opening = openStream(connection, iterateRequest(filter, true), iteration.signal);
  // The next is read ahead: once the current one is taken, it is what shows the daemon that someone is there.
  let next = readAhead(opening.then(({ first }) => first));
  try {
    for (;;) {
      const response = await next.result;
      iteration.signal.throwIfAborted();
      if (response.done === true) return;
      const { info, handle } = response.value;
      if (info === undefined || handle === undefined) throw invalidResponse('handle');
      const { responses } = await opening;
      next = readAhead(responses.next());
      daemon.observe(handle.daemonEpoch);
      const { token } = handle;
      const visit: Visit = { over: false, taken: null };
      const stopRenewing = renewHeld(session, () => [token, ...next.tokens], iteration.signal);
      let left = true;
      try {
        yield new IteratedHandle(session, handleInfoFromMessage(info), token, visit);
        left = false;
      } finally {
        stopRenewing();
        visit.over = true;
        // The end of the stream would overtake a handle that is just being taken.
        await visit.taken?.catch(() => {});
        // The end of the stream closes what it holds, but not what a taking leased whose answer did not come.
        if (left ? doubtful.has(token) : visit.taken === null) closing.add(token);
      }
    }
  } finally {
    stopFollowing();
    // Reading ahead would keep the stream from ending.
    iteration.abort();
    await opening.then(
      async ({ responses }) => responses.return(),
      () => {},
    );
  }
}

type Responses = AsyncGenerator<IterateHandlesResponse, void, undefined>;

/** Opens the stream. Until its first message it can be opened again without doing anything twice. */
async function openStream(
  connection: Connection,
  request: IterateHandlesRequest,
  signal: AbortSignal,
): Promise<{ readonly responses: Responses; readonly first: IteratorResult<IterateHandlesResponse, void> }> {
  return connection.retrying(methods.iterateHandles, { signal }, async (limits) => {
    const responses = connection.stream(methods.iterateHandles, request, limits);
    return { responses, first: await responses.next() };
  });
}

/** ReadAhead is a response that is asked for before it is needed. */
interface ReadAhead {
  readonly result: Promise<IteratorResult<IterateHandlesResponse, void>>;
  /** The token of its handle, once it is there. */
  readonly tokens: string[];
}

function readAhead(result: ReadAhead['result']): ReadAhead {
  const tokens: string[] = [];
  result.then(
    ({ value }) => void (value?.handle && tokens.push(value.handle.token)),
    // Whoever awaits the result is told.
    () => {},
  );
  return { result, tokens };
}

/** listObjects answers the objects in the order of ids, and holds none of them. */
export async function listObjects(
  { connection, timeout }: Session,
  options: IterateOptions,
): Promise<HandleInfo[]> {
  checkOptions(options, ITERATE_RULES);
  const { signal, ...filter } = options;
  const request = iterateRequest(filter, false);
  return connection.retrying(methods.iterateHandles, { signal, timeout }, async (limits) => {
    const infos: HandleInfo[] = [];
    for await (const { info } of connection.stream(methods.iterateHandles, request, limits)) {
      if (info === undefined) throw invalidResponse('info');
      infos.push(handleInfoFromMessage(info));
    }
    return infos;
  });
}

function iterateRequest(
  { origins = [], nameGlobs = [], afterId = 0, details = [] }: ObjectFilter & DetailOptions,
  hold: boolean,
): IterateHandlesRequest {
  return create(IterateHandlesRequestSchema, {
    hold,
    afterId,
    origins: origins.map((origin) => ORIGIN_NUMBERS[origin]),
    nameGlobs: [...nameGlobs],
    details: detailNumbers(details),
  });
}
