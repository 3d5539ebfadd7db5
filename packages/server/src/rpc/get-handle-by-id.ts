import { Operation } from '@btfd/api';
import { invalidRequest } from '../error/service-error.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from './info-details.js';
import { handleMessage, grantedTtlMs } from './handle-message.js';
import { openVisible } from '../handle/open-by-id.js';
import type { Services } from './services.js';

/** getHandleById serves GetHandleById. */
export function getHandleById({ kernel, names, access, handles, limits }: Services): Rpc<'getHandleById'> {
  return async ({ id, ttl }, call) => {
    access.require(Operation.OPEN_BY_ID);
    if (id === 0) throw invalidRequest('id', 'must not be 0');
    const ttlMs = grantedTtlMs(ttl, limits);
    const { object, info } = await openVisible(kernel, names, id, call.caller);
    // The client may have left meanwhile, or lost its role.
    if (call.aborted) object.close();
    call.throwIfAborted();
    call.note(factsOf(info));
    const held = handles.grant(call.caller, object, info, ttlMs);
    return { handle: handleMessage(held, handles.epoch) };
  };
}
