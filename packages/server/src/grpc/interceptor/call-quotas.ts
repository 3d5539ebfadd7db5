import { BtfService, ErrorReason } from '@btfd/api';
import { ServerInterceptingCall, type Metadata, type ServerInterceptor } from '@grpc/grpc-js';
import type { Caller } from '../../auth/caller.js';
import { ServiceError } from '../../error/service-error.js';
import { toStatus } from '../../error/to-status.js';
import type { Quota, Taken } from '../../quota/quota.js';

const LOAD_PATH = `/${BtfService.typeName}/${BtfService.method.loadHandle.name}`;

/** CallQuotasOptions are what counting calls needs. */
export interface CallQuotasOptions {
  readonly calls: Quota;
  readonly streams: Quota;
  /** Calls of LoadHandle, besides: each may bring as much as all other calls of a principal together. */
  readonly loads: Quota;
  /** Bound of a call's metadata, in bytes. */
  readonly maxMetadataBytes: number;
  readonly callerOf: (metadata: Metadata) => Caller;
}

/**
 * callQuotas refuses calls of those that have too many in flight, and calls with too much metadata, before their
 * message is read: an interceptor of the server, behind the one that knows callers. A call counts until its status
 * is sent or its client is gone.
 */
export function callQuotas(options: CallQuotasOptions): ServerInterceptor {
  return (method, call) => {
    const quotas = [method.responseStream || method.requestStream ? options.streams : options.calls];
    if (method.path === LOAD_PATH) quotas.push(options.loads);
    const taken: Taken[] = [];
    const giveBack = (): void => {
      for (const each of taken.splice(0)) each[Symbol.dispose]();
    };
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, forward) => {
            try {
              checkMetadata(metadata, options.maxMetadataBytes);
              const { principal } = options.callerOf(metadata);
              for (const quota of quotas) taken.push(quota.take(principal));
            } catch (error) {
              giveBack();
              if (!(error instanceof ServiceError)) throw error;
              call.sendStatus(toStatus(error));
              return;
            }
            forward(metadata);
          },
          onReceiveMessage: (message, forward) => forward(message),
          onReceiveHalfClose: (forward) => forward(),
          // Comes once for every call, however it ends: when its status is sent, or when its client goes.
          onCancel: giveBack,
        });
      },
    });
  };
}

function checkMetadata(metadata: Metadata, limit: number): void {
  let size = 0;
  for (const [key, values] of Object.entries(metadata.toHttp2Headers())) {
    for (const value of [values].flat()) size += key.length + String(value ?? '').length;
  }
  if (size <= limit) return;
  throw new ServiceError(
    ErrorReason.MESSAGE_TOO_LARGE,
    `the metadata has ${size} bytes; at most ${limit} are taken`,
    { metadata: { size: String(size), limit: String(limit) } },
  );
}
