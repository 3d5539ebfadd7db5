import { ErrorReason } from '@btfd/api';
import { BpfError } from '@btfd/native';
import { requireSight, type Caller } from '../auth/caller.js';
import { ServiceError } from '../error/service-error.js';
import { type Kernel, type KernelObject, type ObjectInfo, originOf } from '../kernel/kernel.js';
import { infoOrClose } from '../kernel/object-list.js';
import type { HeldObject } from './handle-table.js';

/**
 * openVisible opens the object that a caller names by id.
 *
 * @throws ServiceError BTF_ID_NOT_FOUND if there is none.
 * @throws ServiceError ROLE_FORBIDS if the caller may not see it.
 */
export function openVisible(
  kernel: Kernel,
  id: number,
  caller: Caller,
): { readonly object: KernelObject; readonly info: ObjectInfo } {
  const object = openById(kernel, id);
  const info = infoOrClose(object, id);
  try {
    requireSight(caller, originOf(info));
  } catch (error) {
    object.close();
    throw error;
  }
  return { object, info };
}

/**
 * isRemoved reports whether an object left the kernel's list while it was held: its id then opens nothing. A user's object
 * stays in the list while it is held.
 */
export function isRemoved({ info }: HeldObject, kernel: Kernel): boolean {
  if (!info.kernelBtf) return false;
  try {
    kernel.open(info.id).close();
    return false;
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOENT') return true;
    throw error;
  }
}

function openById(kernel: Kernel, id: number): KernelObject {
  try {
    return kernel.open(id);
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOENT') {
      throw new ServiceError(ErrorReason.BTF_ID_NOT_FOUND, `no BTF object has the id ${id}`, {
        metadata: { id: String(id) },
        cause: error,
      });
    }
    throw error;
  }
}
