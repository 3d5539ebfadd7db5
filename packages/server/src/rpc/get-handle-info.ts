import { checkToken } from '../error/invalid-request.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from './facts.js';
import { handleMessage } from './handle-message.js';
import { askDetails, detailsOf } from './info-details.js';
import { isRemoved } from '../handle/removal.js';
import type { Services } from './services.js';

/** getHandleInfo serves GetHandleInfo. */
export function getHandleInfo(services: Services): Rpc<'getHandleInfo'> {
  const { handles, kernel, specs } = services;
  return async (request, { caller, record }) => {
    checkToken('token', request.token);
    const peeked = handles.peek(caller, request.token);
    record?.note(factsOf(peeked.info));
    const details = await detailsOf(peeked, askDetails(request.details, services, caller), specs);
    // Nothing kept the handle meanwhile.
    const held = handles.peek(caller, request.token);
    const removed = isRemoved(held, kernel);
    return { handle: handleMessage(held, handles.epoch, { removed, ...details }) };
  };
}
