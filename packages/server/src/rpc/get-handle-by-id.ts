import { Operation } from '@btfd/api';
import { invalidRequest } from '../error/invalid-request.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from './facts.js';
import { handleMessage } from './handle-message.js';
import { openVisible } from '../handle/open-by-id.js';
import type { Services } from './services.js';
import { grantedTtlMs } from './validate.js';

/** getHandleById serves GetHandleById. */
export function getHandleById({ kernel, access, handles, limits }: Services): Rpc<'getHandleById'> {
  return ({ id, ttl }, { caller, record }) => {
    access.require(Operation.OPEN_BY_ID);
    if (id === 0) throw invalidRequest('id', 'must not be 0');
    const ttlMs = grantedTtlMs(ttl, limits);
    const { object, info } = openVisible(kernel, id, caller);
    record?.note(factsOf(info));
    const held = handles.grant(caller, object, info, ttlMs);
    return { handle: handleMessage(held, handles.epoch) };
  };
}
