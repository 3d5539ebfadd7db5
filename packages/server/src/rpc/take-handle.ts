import { checkToken } from '../error/invalid-request.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from './facts.js';
import { handleMessage } from './handle-message.js';
import type { Services } from './services.js';
import { grantedTtlMs } from './validate.js';

/** takeHandle serves TakeHandle. */
export function takeHandle({ handles, limits }: Services): Rpc<'takeHandle'> {
  return ({ token, ttl }, { caller, record }) => {
    checkToken('token', token);
    const held = handles.take(caller, token, grantedTtlMs(ttl, limits));
    record?.note(factsOf(held.info));
    return { handle: handleMessage(held, handles.epoch) };
  };
}
