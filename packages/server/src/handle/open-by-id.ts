import { ErrorReason, Origin } from '@btfd/api';
import { requireSight, type Caller } from '../auth/caller.js';
import { ServiceError } from '../error/service-error.js';
import type { Kernel } from '../kernel/kernel.js';
import { originOf } from '../kernel/origin.js';
import type { ObjectNames, OpenObject } from '../kernel/object-names.js';
import { infoOrClose, openIfThere } from '../kernel/open-object.js';

/**
 * openVisible opens the object that a caller names by id.
 *
 * @throws ServiceError BTF_ID_NOT_FOUND if there is none, or if it is that of a module that was unloaded.
 * @throws ServiceError ROLE_FORBIDS if the caller may not see it.
 */
export function openVisible(
  kernel: Pick<Kernel, 'open'>,
  names: Pick<ObjectNames, 'isLoaded'>,
  id: number,
  caller: Caller,
): OpenObject | Promise<OpenObject> {
  const object = openIfThere(kernel, id);
  if (object === null) throw idNotFound(id);
  const info = infoOrClose(object, id);
  try {
    requireSight(caller, originOf(info));
  } catch (error) {
    object.close();
    throw error;
  }
  // Only what belongs to a module can have left the kernel, such as the module's own BTF.
  const opened = { object, info };
  return info.kernelBtf && originOf(info) !== Origin.VMLINUX ? ifLoaded(opened, names) : opened;
}

async function ifLoaded(opened: OpenObject, names: Pick<ObjectNames, 'isLoaded'>): Promise<OpenObject> {
  try {
    if (!(await names.isLoaded(opened.info))) throw idNotFound(opened.info.id);
  } catch (error) {
    opened.object.close();
    throw error;
  }
  return opened;
}

function idNotFound(id: number): ServiceError {
  return new ServiceError(ErrorReason.BTF_ID_NOT_FOUND, `no BTF object has the id ${id}`, {
    metadata: { id: String(id) },
  });
}
