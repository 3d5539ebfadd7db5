import { checkToken } from '../error/invalid-request.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from './facts.js';
import { handleMessage } from './handle-message.js';
import type { Services } from './services.js';
import { grantedTtlMs } from './validate.js';

/** cloneHandle serves CloneHandle. */
export function cloneHandle({ handles, limits }: Services): Rpc<'cloneHandle'> {
  return ({ token, ttl }, { caller, record }) => {
    checkToken('token', token);
    const ttlMs = grantedTtlMs(ttl, limits);
    using use = handles.use(caller, token);
    const { object, info } = use.held;
    record?.note(factsOf(info));
    return { handle: handleMessage(handles.grant(caller, object.dup(), info, ttlMs), handles.epoch) };
  };
}
