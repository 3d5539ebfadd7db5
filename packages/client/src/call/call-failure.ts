import { status } from '@grpc/grpc-js';
import { BtfError, clientError } from '../error/btf-error.js';
import { NO_CONNECTION, NO_RESPONSE } from '../error/plain-failure.js';

/** The message of grpc-js about a message above the receiver's limit. It comes before any code of the receiver runs. */
const TOO_LARGE = /^Received message larger than max \((\d+) vs\.? (\d+)\)/;

/**
 * withSizes gives the reason MESSAGE_TOO_LARGE to the error of a request that the daemon's gRPC refused for its size,
 * which is the reason that the daemon itself gives. It returns every other error as it is, also that of a response
 * that is too large for the client.
 *
 * @param sent the size of the request in bytes.
 */
export function withSizes(error: BtfError, sent: number): BtfError {
  if (error.code !== status.RESOURCE_EXHAUSTED || error.reason !== null) return error;
  const [, size, limit] = TOO_LARGE.exec(error.rawMessage) ?? [];
  if (limit === undefined || Number(size) !== sent) return error;
  return new BtfError({
    code: error.code,
    reason: 'MESSAGE_TOO_LARGE',
    message: `the request has ${sent} bytes; the daemon accepts at most ${limit}`,
    metadata: { size: String(sent), limit },
    cause: error,
  });
}

/**
 * isDisconnect reports whether an error says that the connection to the daemon broke, or that there is none. The
 * daemon gives a reason to each of its own errors.
 */
export function isDisconnect({ code, reason, rawMessage }: BtfError): boolean {
  if (reason !== null) return false;
  // The client did not cancel the call, so the other side did.
  if (code === status.UNAVAILABLE || code === status.CANCELLED) return true;
  // The error of grpc-js for a connection that ended with an error, unless it was reset.
  return code === status.INTERNAL && rawMessage.includes('triggered by internal client error');
}

/** late adds the address to the error of a call whose deadline has passed. It returns every other error as it is. */
export function late(address: string, error: BtfError): BtfError {
  const { code, reason, rawMessage, cause } = error;
  if (reason !== null || (rawMessage !== NO_CONNECTION && rawMessage !== NO_RESPONSE)) return error;
  const message = `${rawMessage} ${rawMessage === NO_CONNECTION ? 'to' : 'from'} the daemon at ${address}`;
  return new BtfError({ code, reason, message, cause });
}

/** unreachable returns the error for a daemon that cannot be reached. */
export function unreachable(address: string, failure: BtfError): BtfError {
  return clientError(
    'UNREACHABLE',
    `the daemon at ${address} cannot be reached: ${failure.rawMessage}`,
    failure,
  );
}

/** replaced returns the error for a call on a connection whose certificate was refused and has a successor. */
export function replaced(address: string, failure: BtfError): BtfError {
  const message = `the connection to ${address} has been replaced, as its certificate was: ${failure.rawMessage}`;
  return clientError('UNREACHABLE', message, { cause: failure });
}

/** clientClosed returns the error for a call on a closed client. */
export function clientClosed(cause?: unknown): BtfError {
  return clientError('CLIENT_CLOSED', 'the client was closed', { cause });
}
