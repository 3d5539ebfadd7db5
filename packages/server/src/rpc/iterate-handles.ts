import { setImmediate } from 'node:timers/promises';
import { Operation, type IterateHandlesRequest } from '@btfd/api';
import { checkCount, invalidRequest } from '../error/invalid-request.js';
import type { Rpc } from '../grpc/rpc.js';
import { handleMessage, infoMessage } from '../handle/handle-message.js';
import { Hold } from '../handle/hold.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import { originOf } from '../kernel/origin.js';
import type { Services } from '../services.js';
import { compileGlobs } from '../spec/glob.js';

/** Objects looked at between two turns of the event loop: about 1 ms. */
const OBJECTS_PER_TURN = 256;
const MAX_GLOBS = 100;
/** 2^31 - 1: the kernel gives no id from here on, and says EINVAL to whoever asks behind it. */
const ID_END = 0x7fff_ffff;

/** iterateHandles serves IterateHandles. */
export function iterateHandles({ access, objects, handles, limits, clock }: Services): Rpc<'iterateHandles'> {
  return async function* (request, { signal }) {
    const matches = compileFilter(request);
    if (request.afterId >= ID_END) throw invalidRequest('after_id', `ids end before ${ID_END}`);
    if (request.hold) access.require(Operation.OPEN_BY_ID);
    if (request.afterId > 0) access.require(Operation.LIST_IDS);
    const hold = request.hold ? new Hold(limits.maxHeldPerStream, limits.holdStallMs, clock) : null;
    let looked = 0;
    try {
      await hold?.room(signal);
      for (const { info, object } of objects.visit(request.afterId)) {
        if (!matches(info)) {
          object?.close();
        } else if (hold === null || object === null) {
          object?.close();
          yield { info: infoMessage(info) };
        } else {
          const held = handles.hold(object, info, hold);
          yield { info: infoMessage(info), handle: handleMessage(held, handles.epoch) };
          await hold.room(signal);
        }
        looked += 1;
        if (looked % OBJECTS_PER_TURN === 0) await setImmediate();
        signal.throwIfAborted();
      }
      await hold?.empty(signal);
    } finally {
      for (const token of hold?.held() ?? []) handles.close(token);
    }
  };
}

function compileFilter({ origins, nameGlobs }: IterateHandlesRequest): (info: ObjectInfo) => boolean {
  checkCount('name_globs', nameGlobs, MAX_GLOBS);
  const globs = compileGlobs('name_globs', nameGlobs);
  return (info) =>
    (origins.length === 0 || origins.includes(originOf(info))) &&
    (globs.length === 0 || globs.some((matches) => matches(info.name)));
}
