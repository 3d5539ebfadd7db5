import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../../error/service-error.js';

/** The types whose messages are protobuf. The others that begin so, such as `application/grpc-web`, are other protocols. */
const CONTENT_TYPE = /^application\/grpc(\+proto)?[ \t]*(;|$)/i;

const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** The longest timeout for which grpc-js sets a timer. It computes timeouts in 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * notGrpc returns the headers of the response to a request that is not gRPC; null for one that is. A status of gRPC, which
 * comes with HTTP 200, would look like a success to other clients.
 */
export function notGrpc(headers: IncomingHttpHeaders): OutgoingHttpHeaders | null {
  if (headers[':method'] !== 'POST') return { ':status': 405, allow: 'POST' };
  if (CONTENT_TYPE.test(headers['content-type'] ?? '')) return null;
  return { ':status': 415, 'accept-post': 'application/grpc, application/grpc+proto' };
}

/**
 * takeFarTimeout returns how many milliseconds a call may take if that is more than grpc-js can count, and removes the
 * header then. Otherwise it returns Infinity.
 *
 * @throws ServiceError INVALID_REQUEST if the timeout is malformed.
 */
export function takeFarTimeout(headers: IncomingHttpHeaders): number {
  const text = headers['grpc-timeout'];
  if (text === undefined) return Infinity;
  const [, digits = '', unit = ''] = TIMEOUT.exec(String(text)) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined) {
    const message = `invalid grpc-timeout "${String(text)}": use 1 to 8 digits and one of H, M, S, m, u, n`;
    throw new ServiceError(ErrorReason.INVALID_REQUEST, message);
  }
  const ms = Number(digits) * unitMs;
  if (ms <= MAX_TIMER_MS) return Infinity;
  delete headers['grpc-timeout'];
  return ms;
}

/**
 * mostMetadataOf returns a number of bytes that the metadata of a call does not exceed, without decoding it. It returns
 * Infinity if there are binary values, of which one header may hold any number.
 */
export function mostMetadataOf(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) {
    const value = headers[name];
    if (typeof value !== 'string' || name.endsWith('-bin')) return Infinity;
    bytes += name.length + value.length;
  }
  return bytes;
}
