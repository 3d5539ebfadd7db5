import { BtfService, ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import type { Limits } from '../config/limits.js';
import { loadSizes } from './load-wire.js';

/** What is a little too large is told so in our words; what is larger than this is not even kept. */
const RECEIVED_TIMES = 2;

/**
 * receiveBytes is how much of an encoded request is taken off the wire, by the path of its method: of any service, as
 * health's is for callers without a role.
 */
export function receiveBytes(
  path: string,
  limits: Pick<Limits, 'maxLoadMessageBytes' | 'maxMessageBytes'>,
): number {
  if (path === LOAD_PATH) return limits.maxLoadMessageBytes;
  return Math.min(RECEIVED_TIMES * limits.maxMessageBytes, limits.maxLoadMessageBytes);
}

const LOAD_PATH = `/${BtfService.typeName}/${BtfService.method.loadHandle.name}`;

/**
 * checkRequestSize throws if an encoded request is larger than its method allows: decoding takes many times
 * the memory of what is decoded, and the event loop while it lasts.
 */
export function checkRequestSize(methodName: string, wire: Uint8Array, limits: Limits): void {
  if (methodName !== BtfService.method.loadHandle.name) {
    check('the request', methodName, wire.length, limits.maxMessageBytes);
    return;
  }
  check('the request', methodName, wire.length, limits.maxLoadMessageBytes);
  const { types, rest } = loadSizes(wire, limits.maxMessageBytes);
  check('the request, besides raw_btf and types,', methodName, rest, limits.maxMessageBytes);
  check('the list of types', methodName, types, limits.maxTypesBytes);
}

function check(what: string, methodName: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new ServiceError(
    ErrorReason.MESSAGE_TOO_LARGE,
    `${what} has ${size} bytes; ${methodName} takes at most ${limit}`,
    {
      metadata: { size: String(size), limit: String(limit) },
    },
  );
}
