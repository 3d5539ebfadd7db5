import { setImmediate } from 'node:timers/promises';
import { ErrorReason, Operation } from '@btfd/api';
import { invalidRequest, ServiceError } from '../error/service-error.js';
import type { Rpc } from '../grpc/rpc.js';
import { handleMessage, infoMessage } from './handle-message.js';
import { Hold } from '../handle/hold.js';
import { askDetails, detailsOf, type AskedDetails, type InfoDetails } from './info-details.js';
import type { ListedObject } from '../kernel/object-list.js';
import { openIfThere } from '../kernel/open-object.js';
import type { Services } from './services.js';
import type { SpecSource } from '../source/spec-source.js';
import { objectFilter } from './object-filter.js';

/** Objects visited between two turns of the event loop: about 1 ms. */
const OBJECTS_PER_TURN = 256;
/** 2^31 - 1: the kernel's ids are smaller, and it returns EINVAL for the id after this one. */
const ID_END = 0x7fff_ffff;

/** iterateHandles serves IterateHandles. */
export function iterateHandles(services: Services): Rpc<'iterateHandles'> {
  const { access, kernel, objects, handles, specs, limits, clock } = services;
  return async function* (request, { signal, caller }) {
    const matches = objectFilter(request, caller);
    if (request.afterId >= ID_END) throw invalidRequest('after_id', `must be less than ${ID_END}`);
    if (request.hold || request.afterId > 0) access.require(Operation.LIST_IDS);
    const hold = request.hold ? new Hold(limits.maxHeldPerStream, limits.holdStallMs, clock) : null;
    const asked = askDetails(request.details, services, caller);
    // Before the first object is opened, so that the daemon is not among the users of what it only visits.
    await asked.users;
    const opens = hold !== null || asked.digest;
    let visited = 0;
    try {
      await hold?.room(signal);
      for await (const info of objects.visit(request.afterId)) {
        visited += 1;
        if (visited % OBJECTS_PER_TURN === 0) await setImmediate();
        signal.throwIfAborted();
        if (!matches(info)) continue;
        if (!opens && asked.users === null) {
          yield { info: infoMessage(info) };
          continue;
        }
        const object = opens && info.id > 0 ? openIfThere(kernel, info.id) : null;
        // It vanished after it was listed.
        if (opens && info.id > 0 && object === null) continue;
        const listed = { info, object };
        if (hold === null || object === null) {
          const details = await detailsAndClose(listed, asked, specs);
          if (details !== null) yield { info: infoMessage(info, details) };
        } else {
          const held = handles.hold(caller, object, info, hold);
          const details = await detailsOf(listed, asked, specs);
          yield { info: infoMessage(info, details), handle: handleMessage(held, handles.epoch, details) };
          await hold.room(signal);
        }
      }
      await hold?.empty(signal);
    } finally {
      for (const token of hold?.held() ?? []) handles.close(token);
    }
  };
}

/** Returns null for an object that is only a file, and is gone. */
async function detailsAndClose(
  listed: ListedObject,
  asked: AskedDetails,
  specs: SpecSource,
): Promise<InfoDetails | null> {
  try {
    return await detailsOf(listed, asked, specs);
  } catch (error) {
    if (error instanceof ServiceError && error.reason === ErrorReason.NAME_NOT_FOUND) return null;
    throw error;
  } finally {
    listed.object?.close();
  }
}
