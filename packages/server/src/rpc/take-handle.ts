import { checkToken } from '../error/service-error.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from './info-details.js';
import { grantedTtlMs, leaseMessage } from './handle-message.js';
import type { Services } from './services.js';

/** takeHandle serves TakeHandle. */
export function takeHandle({ handles, limits }: Services): Rpc<'takeHandle'> {
  return ({ token, ttl }, call) => {
    checkToken('token', token);
    const held = handles.take(call.caller, token, grantedTtlMs(ttl, limits));
    call.note(factsOf(held.info));
    return { handle: leaseMessage(call, held, handles.epoch) };
  };
}
