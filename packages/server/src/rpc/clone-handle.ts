import { checkToken } from '../error/service-error.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from './info-details.js';
import { grantedTtlMs, leaseMessage } from './handle-message.js';
import type { Services } from './services.js';

/** cloneHandle serves CloneHandle. */
export function cloneHandle({ handles, limits }: Services): Rpc<'cloneHandle'> {
  return ({ token, ttl }, call) => {
    checkToken('token', token);
    const ttlMs = grantedTtlMs(ttl, limits);
    using use = handles.use(call.caller, token);
    const { object, info } = use.held;
    call.note(factsOf(info));
    return {
      handle: leaseMessage(call, handles.grant(call.caller, object.dup(), info, ttlMs), handles.epoch),
    };
  };
}
