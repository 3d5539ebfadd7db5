import { randomUUID } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';

/** REQUEST_ID is the key of metadata that names a call, in requests and answers. */
export const REQUEST_ID = 'x-request-id';

/** What nothing takes for anything but a name, and no longer than a log line bears. */
const SANE = /^[\w.:/+=-]{1,64}$/;

/** requestIdOf is the id that a client gave its call; where it gave none, or one that isn't sane, a new one. */
export function requestIdOf(metadata: Metadata): string {
  const [given] = metadata.get(REQUEST_ID);
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID();
}
