import { checkToken } from '../error/invalid-request.js';
import type { Rpc } from '../grpc/rpc.js';
import { handleMessage } from '../handle/handle-message.js';
import { isRemoved } from '../handle/removal.js';
import type { Services } from '../services.js';

/** getHandleInfo serves GetHandleInfo. */
export function getHandleInfo({ handles, kernel }: Services): Rpc<'getHandleInfo'> {
  return ({ token }) => {
    checkToken('token', token);
    const held = handles.peek(token);
    return { handle: handleMessage(held, handles.epoch, isRemoved(held, kernel)) };
  };
}
