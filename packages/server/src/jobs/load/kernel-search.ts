import { readdirSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

const SYSFS_BTF = '/sys/kernel/btf';
const VMLINUX = 'vmlinux';

/** Time of the kernel for a byte of its own BTF, in nanoseconds: 0.5 ms measured for 5.5 MB. */
const NS_PER_BYTE = 0.1;
/** Time if it has neither modules nor BTF. */
const LEAST_NS = 500_000;
/** Time for each object since Linux 7.0, which sorts its own types by name. 15 µs measured in a virtual machine. */
const NS_PER_SORTED = 10_000;
const SORTED_SINCE = 7;

/**
 * kernelSearchNs estimates how long the kernel takes to find out that it has no struct of a name, in nanoseconds. Before
 * Linux 7.0 it reads the types of vmlinux, and then for each module those of the module and of vmlinux again.
 */
export function kernelSearchNs(dir = SYSFS_BTF, kernelRelease = release()): number {
  const files = sizesOf(dir);
  if (Number.parseInt(kernelRelease, 10) >= SORTED_SINCE) return Math.max(1, files.size) * NS_PER_SORTED;
  const vmlinux = files.get(VMLINUX) ?? 0;
  let bytes = vmlinux;
  for (const [name, size] of files) if (name !== VMLINUX) bytes += vmlinux + size;
  return Math.max(LEAST_NS, bytes * NS_PER_BYTE);
}

function sizesOf(dir: string): Map<string, number> {
  const sizes = new Map<string, number>();
  try {
    for (const name of readdirSync(dir)) {
      // A module may be unloaded meanwhile.
      sizes.set(name, statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0);
    }
  } catch {
    // The kernel shows no BTF of its own, and so has none to search.
  }
  return sizes;
}
