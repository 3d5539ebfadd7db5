import { durationFromMs, durationMs, type Duration } from '@bufbuild/protobuf/wkt';
import type { HandleInfoSchema, HandleSchema } from '@btfd/api';
import type { Init } from '../base/message.js';
import type { Limits } from '../config/limits.js';
import type { RpcCall } from '../grpc/rpc.js';
import { invalidRequest } from '../error/service-error.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import { originOf } from '../kernel/origin.js';
import type { HeldObject } from '../handle/handle-table.js';
import type { InfoDetails } from './info-details.js';

/** The fields of an object's info that the kernel does not give. */
type MoreInfo = Pick<Init<typeof HandleInfoSchema>, 'removed'> & InfoDetails;

/** infoMessage returns the message about an object. */
export function infoMessage(info: ObjectInfo, more: MoreInfo = {}): Init<typeof HandleInfoSchema> {
  const { id, name, kernelBtf, size } = info;
  return { id, name, origin: originOf(info), isKernel: kernelBtf, size, ...more };
}

/** handleMessage returns the message about a handle. */
export function handleMessage(
  { token, info, lease }: HeldObject,
  epoch: string,
  more: MoreInfo = {},
): Init<typeof HandleSchema> {
  return {
    token,
    info: infoMessage(info, more),
    daemonEpoch: epoch,
    ...(lease === null
      ? {}
      : {
          grantedTtl: durationFromMs(lease.ttlMs),
          remainingTtl: durationFromMs(Math.ceil(lease.remainingMs)),
        }),
  };
}

/** leaseMessage returns the message about a handle on which a call has granted a lease, and notes that for the audit log. */
export function leaseMessage(
  call: Pick<RpcCall, 'note'>,
  held: HeldObject,
  epoch: string,
): Init<typeof HandleSchema> {
  call.note({ leased: true });
  return handleMessage(held, epoch);
}

/**
 * grantedTtlMs returns the TTL to grant for the requested one, in milliseconds: within the limits, or the default.
 *
 * @throws ServiceError INVALID_REQUEST if it is not positive.
 */
export function grantedTtlMs(ttl: Duration | undefined, limits: Limits): number {
  if (ttl === undefined) return limits.defaultTtlMs;
  const asked = durationMs(ttl);
  if (!(asked > 0)) throw invalidRequest('ttl', 'must be positive');
  return Math.min(limits.maxTtlMs, Math.max(limits.minTtlMs, asked));
}
