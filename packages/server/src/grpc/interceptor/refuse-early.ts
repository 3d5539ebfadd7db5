import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Metadata } from '@grpc/grpc-js';
import type { ServiceError } from '../../error/service-error.js';
import { toStatus } from '../../error/to-status.js';
import type { Connection } from './admit.js';
import type { CallContext } from './call.js';
import { CallRecord } from './call-record.js';
import { methodOf, REQUEST_ID, requestIdOf } from './call-names.js';

/** EarlyCall is a call that grpc-js does not get. */
export interface EarlyCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly connection: Connection;
  /** Whether the daemon has its method. */
  readonly isKnown: boolean;
}

/** refuseEarly sends the error of a call, at a small part of the cost of a call of grpc-js, and observes the call. */
export function refuseEarly(
  { stream, headers, connection, isKnown }: EarlyCall,
  error: ServiceError,
  { observer, policy }: Pick<CallContext, 'observer' | 'policy'>,
): void {
  const metadata = Metadata.fromHttp2Headers(headers);
  const requestId = requestIdOf(metadata);
  const path = headers[':path'] ?? '';
  const { remoteAddress, remotePort } = stream.session?.socket ?? {};
  const refusal = toStatus(error);
  const record = new CallRecord(Infinity);
  const info = {
    ...methodOf(path, isKnown),
    metadata,
    requestId,
    peer: remoteAddress === undefined ? '' : `${remoteAddress}:${remotePort}`,
    principal: policy.now.principalOf(connection.peer),
    facts: {},
  };
  record.begin(info, observer);
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc+proto',
      'grpc-status': refusal.code,
      'grpc-message': encodeURI(refusal.details),
      ...refusal.metadata.toHttp2Headers(),
      [REQUEST_ID]: requestId,
    },
    { endStream: true },
  );
  record.sentStatus(refusal);
}
