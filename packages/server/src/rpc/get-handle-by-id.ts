import { Operation } from '@btfd/api';
import { invalidRequest } from '../error/service-error.js';
import { isPromise, type Rpc } from '../grpc/rpc.js';
import { factsOf } from './info-details.js';
import { grantedTtlMs, leaseMessage } from './handle-message.js';
import { openVisible } from '../handle/open-by-id.js';
import type { OpenObject } from '../kernel/object-names.js';
import type { Services } from './services.js';

/** getHandleById serves GetHandleById. */
export function getHandleById({ kernel, names, access, handles, limits }: Services): Rpc<'getHandleById'> {
  return ({ id, ttl }, call) => {
    access.require(Operation.OPEN_BY_ID);
    if (id === 0) throw invalidRequest('id', 'must not be 0');
    const ttlMs = grantedTtlMs(ttl, limits);
    const grant = ({ object, info }: OpenObject) => {
      try {
        // The client may have left meanwhile, or lost its role.
        call.throwIfAborted();
      } catch (error) {
        object.close();
        throw error;
      }
      call.note(factsOf(info));
      const held = handles.grant(call.caller, object, info, ttlMs);
      return { handle: leaseMessage(call, held, handles.epoch) };
    };
    const opened = openVisible(kernel, names, id, call.caller);
    return isPromise(opened) ? opened.then(grant) : grant(opened);
  };
}
