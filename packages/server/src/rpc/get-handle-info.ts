import { checkToken } from '../error/service-error.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf, askDetails, detailsOf } from './info-details.js';
import { handleMessage } from './handle-message.js';
import type { Services } from './services.js';

/** getHandleInfo serves GetHandleInfo. */
export function getHandleInfo(services: Services): Rpc<'getHandleInfo'> {
  const { handles, names, specs } = services;
  return async (request, call) => {
    const { caller } = call;
    checkToken('token', request.token);
    const peeked = handles.peek(caller, request.token);
    call.note(factsOf(peeked.info));
    const details = await detailsOf(peeked, askDetails(request.details, services, caller), specs);
    const removed = !(await names.isLoaded(peeked.info));
    // Nothing kept the handle meanwhile.
    const held = handles.peek(caller, request.token);
    return { handle: handleMessage(held, handles.epoch, { removed, ...details }) };
  };
}
