import { ErrorReason } from '@btfd/api';
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { ServiceError } from '../../error/service-error.js';

type Status = Pick<StatusObject, 'code' | 'details' | 'metadata'>;

/** The marks of a message that is not compressed, and of one that is. */
const PLAIN = 0;
const COMPRESSED = 1;

const COMPRESSIONS = ['identity', 'deflate', 'gzip'];

/**
 * refuseCompression returns the status that refuses a message because of its compression; null if it can be decompressed.
 * It follows gRPC's PROTOCOL-HTTP2.md and compression.md.
 *
 * @param mark - the first byte of the message
 * @param compression - that of the call, for a compressed message; otherwise `identity`
 */
export function refuseCompression(mark: number, compression: string): Status | null {
  if (mark === PLAIN) return null;
  if (mark !== COMPRESSED) return brokenRequest(`a message begins with ${mark} instead of 0 or 1`);
  if (compression === 'identity')
    return brokenRequest('a message is compressed, but grpc-encoding names no compression');
  if (COMPRESSIONS.includes(compression)) return null;
  const metadata = new Metadata();
  metadata.set('grpc-accept-encoding', COMPRESSIONS.join());
  const details = `the daemon does not know the compression ${JSON.stringify(compression)}`;
  return { code: status.UNIMPLEMENTED, details, metadata };
}

/**
 * faultOfEnd returns the status that refuses a request at its end; null if it is complete.
 *
 * @param end - whether it ends within a message, and whether the message that its method takes is missing
 */
export function faultOfEnd(
  method: string,
  end: { readonly isWithinMessage: boolean; readonly isMissing: boolean },
): Status | null {
  if (end.isWithinMessage) return brokenRequest('the request ended within a message');
  return end.isMissing ? wrongRequest(`${method} takes one request message, and none arrived`) : null;
}

/** slowSender returns the error of a call whose request has not arrived in time. */
export function slowSender(ms: number): ServiceError {
  return new ServiceError(ErrorReason.SLOW_SENDER, `the request did not arrive within ${ms} ms`);
}

/** Returns the status of a call whose request does not follow gRPC. */
function brokenRequest(details: string): Status {
  return { code: status.INTERNAL, details, metadata: new Metadata() };
}

/** wrongRequest returns the status of a call with another number of request messages than its method takes. */
export function wrongRequest(details: string): Status {
  return { code: status.UNIMPLEMENTED, details, metadata: new Metadata() };
}
