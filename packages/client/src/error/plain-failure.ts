/** The texts about a call whose deadline has passed. */
export const NO_CONNECTION = 'no connection in time';
export const NO_RESPONSE = 'no response in time';
/** The text if grpc-js does not know why there is no connection, as behind a proxy. */
export const NO_REASON = 'there is no connection';

/** The text of grpc-js about such a call, before its times and its peer. */
const LATE = /^(?:4 DEADLINE_EXCEEDED: )?Deadline exceeded after /;
/** The texts of grpc-js about a channel without a connection. */
const UNCONNECTED =
  /^(?:14 UNAVAILABLE: )?No connection established\. Last error: (.*?)\.? Resolution note: .*$/s;
const UNRESOLVED =
  /^(?:14 UNAVAILABLE: )?Name resolution failed for target (?:dns:)?(?:\/\/[^/]*\/)?(.*?)(?::\d+)?$/;

/**
 * plainFailure returns the text of an error of grpc-js in words for users: why there is no connection, without the names of the
 * parts of grpc-js and without times. It returns other texts as they are.
 */
export function plainFailure(text: string): string {
  // A call without a peer waits in the load balancer of grpc-js, also if there is only one address.
  if (LATE.test(text)) return text.includes('remote_addr=') ? NO_RESPONSE : NO_CONNECTION;
  const name = UNRESOLVED.exec(text)?.[1];
  if (name !== undefined) return `the name ${name} cannot be resolved`;
  const cause = UNCONNECTED.exec(text)?.[1];
  return cause === undefined ? text : plainCause(cause);
}

/** Returns the message of the system, of Node or of OpenSSL. */
function plainCause(cause: string): string {
  const bySsl = /:SSL routines:[^:]*:([^:]+):/.exec(cause)?.[1];
  const plain = (bySsl ?? cause)
    .replaceAll(/\s*\(\d{4}-\d\d-\d\dT[^)]*\)/g, '')
    .replace(/^Error(?: \[\w+\])?: /, '')
    .replace(/\.?\s*$/, '');
  switch (plain) {
    // HTTP/2 has ended without an error.
    case 'Failed to connect':
      return 'the connection was closed before HTTP/2 began';
    case 'undefined':
    case 'null':
      return NO_REASON;
    default:
      return plain;
  }
}
