import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import type { WorkerRpc } from '../grpc/rpc.js';

/** checkObject serves CheckObject. */
export function checkObject(): WorkerRpc<'checkObject'> {
  return async function* () {
    throw new ServiceError(ErrorReason.OPERATION_UNAVAILABLE, 'this daemon cannot check objects');
  };
}
