import { BpfError } from '@btfd/native';
import type { Kernel } from '../kernel/kernel.js';
import type { HeldObject } from './handle-table.js';

/**
 * isRemoved says whether an object left the kernel's list while it was held: its id opens nothing then. A
 * user's object stays in the list for as long as it is held.
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
