import { readFileSync } from 'node:fs';

/** readBootId reads the kernel's boot id. BTF ids of different boots have nothing in common. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
