import { BpfError } from '@btfd/native';
import type { Kernel, KernelObject, ObjectInfo } from './kernel.js';

/**
 * infoOrClose returns the info of an object, and closes the object if that fails.
 *
 * @param openedId the id that the object was opened by. The kernel reports 0 for an object that has left its list.
 */
export function infoOrClose(object: KernelObject, openedId = 0): ObjectInfo {
  try {
    const info = object.info();
    return info.id === 0 ? { ...info, id: openedId } : info;
  } catch (error) {
    object.close();
    throw error;
  }
}

/** openIfThere opens the object with an id. It returns null if the object vanished after it was listed. */
export function openIfThere(kernel: Pick<Kernel, 'open'>, id: number): KernelObject | null {
  try {
    return kernel.open(id);
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOENT') return null;
    throw error;
  }
}
