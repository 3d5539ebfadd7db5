import { Operation } from '@btfd/api';
import { invalidRequest } from '../error/invalid-request.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from '../handle/facts.js';
import { handleMessage } from '../handle/handle-message.js';
import { openById } from '../kernel/open-by-id.js';
import { infoOrClose } from '../kernel/object-list.js';
import type { Services } from '../services.js';
import { grantedTtlMs } from './validate.js';

/** getHandleById serves GetHandleById. */
export function getHandleById({ kernel, access, handles, limits }: Services): Rpc<'getHandleById'> {
  return ({ id, ttl }, { record }) => {
    access.require(Operation.OPEN_BY_ID);
    if (id === 0) throw invalidRequest('id', 'must not be 0');
    const ttlMs = grantedTtlMs(ttl, limits);
    const object = openById(kernel, id);
    const held = handles.grant(object, infoOrClose(object, id), ttlMs);
    record?.note(factsOf(held.info));
    return { handle: handleMessage(held, handles.epoch) };
  };
}
