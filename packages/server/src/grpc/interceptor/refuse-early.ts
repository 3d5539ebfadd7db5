import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Metadata } from '@grpc/grpc-js';
import type { ServiceError } from '../../error/service-error.js';
import { toStatus } from '../../error/to-status.js';
import type { Connection } from './admit.js';
import type { CallsOptions } from './call-context.js';
import { CallRecord } from './call-record.js';
import { methodOf, REQUEST_ID, requestIdOf } from './call-names.js';

/** EarlyCall is a call that grpc-js does not get. */
export interface EarlyCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly connection: Connection;
  /** The client's address; empty if it has none. */
  readonly address: string;
  /** Whether the daemon has its method. */
  readonly isKnown: boolean;
}

/** refuseEarly sends the error of a call, at a small part of the cost of a call of grpc-js, and observes the call. */
export function refuseEarly(
  { stream, headers, connection, address, isKnown }: EarlyCall,
  error: ServiceError,
  { observer, policy }: Pick<CallsOptions, 'observer' | 'policy'>,
): void {
  const metadata = Metadata.fromHttp2Headers(headers);
  const requestId = requestIdOf(metadata);
  const path = headers[':path'] ?? '';
  const refusal = toStatus(error);
  const record = new CallRecord(Infinity);
  const info = {
    ...methodOf(path, isKnown),
    metadata,
    requestId,
    peer: address,
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
