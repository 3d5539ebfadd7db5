import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';

/** What grpc-js says of a message beyond the receiver's bound, before anything of the receiver's own sees it. */
const TOO_LARGE = /^Received message larger than max \((\d+) vs\.? (\d+)\)/;

/**
 * withSizes gives the reason, as the daemon gives it where it can, to the error of a request that is so large that gRPC
 * refused it for the daemon. Any other error is left as it is; so is that of an answer which is too large for the client.
 *
 * @param sent bytes of the request.
 */
export function withSizes(error: BtfError, sent: number): BtfError {
  if (error.code !== status.RESOURCE_EXHAUSTED || error.reason !== null) return error;
  const [, size, limit] = TOO_LARGE.exec(error.rawMessage) ?? [];
  if (limit === undefined || Number(size) !== sent) return error;
  return new BtfError({
    code: error.code,
    reason: 'MESSAGE_TOO_LARGE',
    message: `the request has ${sent} bytes; the daemon takes at most ${limit}`,
    metadata: { size: String(sent), limit },
    cause: error,
  });
}
