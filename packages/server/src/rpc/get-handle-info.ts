import { checkToken } from '../error/service-error.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf, askDetails, detailsOf } from './info-details.js';
import { handleMessage } from './handle-message.js';
import { isRemoved } from '../handle/open-by-id.js';
import type { Services } from './services.js';

/** getHandleInfo serves GetHandleInfo. */
export function getHandleInfo(services: Services): Rpc<'getHandleInfo'> {
  const { handles, kernel, specs } = services;
  return async (request, call) => {
    const { caller } = call;
    checkToken('token', request.token);
    const peeked = handles.peek(caller, request.token);
    call.note(factsOf(peeked.info));
    const details = await detailsOf(peeked, askDetails(request.details, services, caller), specs);
    // Nothing kept the handle meanwhile.
    const held = handles.peek(caller, request.token);
    const removed = isRemoved(held, kernel);
    return { handle: handleMessage(held, handles.epoch, { removed, ...details }) };
  };
}
