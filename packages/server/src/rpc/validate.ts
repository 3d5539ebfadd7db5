import { durationMs, type Duration } from '@bufbuild/protobuf/wkt';
import { invalidRequest } from '../error/invalid-request.js';
import type { Limits } from '../config/limits.js';

/** grantedTtlMs is the TTL granted for the one asked for, in milliseconds. */
export function grantedTtlMs(ttl: Duration | undefined, limits: Limits): number {
  if (ttl === undefined) return limits.defaultTtlMs;
  const asked = durationMs(ttl);
  if (!(asked > 0)) throw invalidRequest('ttl', 'must be positive');
  return Math.min(limits.maxTtlMs, Math.max(limits.minTtlMs, asked));
}
