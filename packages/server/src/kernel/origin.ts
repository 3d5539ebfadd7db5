import { Origin } from '@btfd/api';

/** originOf tells where an object comes from by what the kernel says of it. */
export function originOf({
  kernelBtf,
  name,
}: {
  readonly kernelBtf: boolean;
  readonly name: string;
}): Origin {
  if (!kernelBtf) return Origin.USER;
  if (name === 'vmlinux') return Origin.VMLINUX;
  // No module's name has a dot; `vmlinux.inline` and `<module>.inline` are the kernel's own.
  return name.includes('.') ? Origin.KERNEL_OTHER : Origin.MODULE;
}
