import { ErrorReason } from '@btfd/api';
import { BpfError } from '@btfd/native';
import { ServiceError } from '../error/service-error.js';
import type { Kernel, KernelObject } from './kernel.js';

/** openById opens the object that a client names by id. */
export function openById(kernel: Kernel, id: number): KernelObject {
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
