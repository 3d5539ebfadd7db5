/** PINNED_PROGRAMS are ten programs of Debian whose BPF objects have relocations of many kinds, flavours, and members that kernels lack. */
export const PINNED_PROGRAMS: readonly string[];
