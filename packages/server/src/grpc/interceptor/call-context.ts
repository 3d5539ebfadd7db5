import { LinkedList } from '../../base/linked-list.js';
import { Timeouts } from '../../base/timeouts.js';
import type { CurrentPolicy } from '../../auth/policy.js';
import type { Limits } from '../../config/limits.js';
import type { ServiceError } from '../../error/service-error.js';
import type { Quotas } from '../../quota/quotas.js';
import type { Call } from './call.js';
import type { CallObserver } from './call-observer.js';
import { ServedMethods } from './served-methods.js';

/** CallsOptions are the parts of a daemon that its calls need. */
export interface CallsOptions {
  readonly policy: CurrentPolicy;
  readonly observer: CallObserver;
  readonly quotas: Pick<Quotas, 'calls' | 'streams' | 'loads' | 'objectBytes'>;
  readonly limits: Pick<
    Limits,
    | 'requestMs'
    | 'slowReaderMs'
    | 'maxMetadataBytes'
    | 'maxLoadMessageBytes'
    | 'maxObjectMessageBytes'
    | 'maxMessageBytes'
  >;
}

/** CallContext is everything that the calls of a daemon share. */
export interface CallContext extends CallsOptions {
  readonly methods: ServedMethods;
  /** The calls that have begun and whose stream is not closed. */
  readonly open: LinkedList<Call>;
  /** The calls whose request has not arrived. */
  readonly arriving: Timeouts<Call>;
  /** The calls that have ended, and whose client has not read the rest of the response. */
  readonly unread: Timeouts<Call>;
  /** The error of every new stream, once the daemon is shutting down. Unary calls are still accepted. */
  ending: ServiceError | null;
}

/** newCallContext returns the context of the calls of a daemon. */
export function newCallContext(options: CallsOptions): CallContext {
  const { requestMs, slowReaderMs } = options.limits;
  return {
    ...options,
    methods: new ServedMethods(options.limits),
    open: new LinkedList<Call>(),
    arriving: new Timeouts<Call>(requestMs, (call) => call.endLate()),
    unread: new Timeouts<Call>(slowReaderMs, (call) => call.reset()),
    ending: null,
  };
}
