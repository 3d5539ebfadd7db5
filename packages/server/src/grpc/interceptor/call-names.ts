import { randomBytes } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import type { CallInfo } from './call-observer.js';

/** REQUEST_ID is the metadata key of the id of a call, in requests and responses. */
export const REQUEST_ID = 'x-request-id';
/** Only characters that need no quotes in a log line, and few enough for one. */
const VALID_ID = /^[\w.:/+=-]{1,64}$/;

/** The service and the method of every path that is not served. */
const UNKNOWN = { service: 'unknown', method: 'unknown' };

/** methodOf returns the names of a method in logs and metrics. */
export function methodOf(
  path: string,
  isKnown: boolean,
): Pick<CallInfo, 'service' | 'method' | 'unknownPath'> {
  if (!isKnown) return { ...UNKNOWN, unknownPath: path };
  const [, service = '', method = ''] = path.split('/');
  return { service, method, unknownPath: null };
}

/** No two runs of the daemon have the same. */
const RUN = randomBytes(8).toString('hex');
let count = 0;

/** requestIdOf returns the id that the client gave its call; a new one if it gave none or an invalid one. */
export function requestIdOf(metadata: Metadata): string {
  const [given] = metadata.get(REQUEST_ID);
  return typeof given === 'string' && VALID_ID.test(given) ? given : newId();
}

/** Unlike a random id, one that counts takes no time. It is not a secret: it goes to the client and into the log. */
function newId(): string {
  count += 1;
  return `${RUN}-${count}`;
}
