import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { HandleInfoSchema, HandleSchema } from '@btfd/api';
import type { Init } from '../grpc/message-init.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import { originOf } from '../kernel/origin.js';
import type { HeldObject } from './handle-table.js';

/** infoMessage is what clients are told of an object. */
export function infoMessage(info: ObjectInfo, removed = false): Init<typeof HandleInfoSchema> {
  const { id, name, kernelBtf, size } = info;
  return { id, name, origin: originOf(info), isKernel: kernelBtf, size, removed };
}

/** handleMessage is what clients are told of a handle. */
export function handleMessage(
  { token, info, lease }: HeldObject,
  epoch: string,
  removed = false,
): Init<typeof HandleSchema> {
  return {
    token,
    info: infoMessage(info, removed),
    daemonEpoch: epoch,
    ...(lease === null
      ? {}
      : {
          grantedTtl: durationFromMs(lease.ttlMs),
          remainingTtl: durationFromMs(Math.ceil(lease.remainingMs)),
        }),
  };
}
