import { Origin } from '@btfd/api';
import type { ObjectInfo } from './kernel.js';

/** originOf returns where an object comes from. */
export function originOf({ kernelBtf, name }: Pick<ObjectInfo, 'kernelBtf' | 'name'>): Origin {
  if (!kernelBtf) return Origin.USER;
  if (name === 'vmlinux') return Origin.VMLINUX;
  // The name of a module has no dot. `vmlinux.inline` and `<module>.inline` belong to the kernel.
  return name.includes('.') ? Origin.KERNEL_OTHER : Origin.MODULE;
}
