import { Origin } from '@btfd/api';

/** ObjectInfo is what the kernel says of a BTF object. */
export interface ObjectInfo {
  /** The BTF id; 0 for an object that left the kernel's list while it was held. */
  readonly id: number;
  readonly name: string;
  readonly kernelBtf: boolean;
  /** Size of the raw BTF in bytes. */
  readonly size: number;
}

/** KernelObject is a BTF object held open through a file descriptor. */
export interface KernelObject {
  /** The kernel's word on the object now. */
  info(): ObjectInfo;
  /** Reads the raw BTF, off the event loop. Safe against `close` meanwhile. */
  read(): Promise<Uint8Array>;
  /** A second reference to the object. */
  dup(): KernelObject;
  /** Lets go of the object. Says whether it was open. */
  close(): boolean;
}

/** BpfObjectInfo is what the kernel says of a program or a map. */
export interface BpfObjectInfo {
  /** The head of its name, of at most 15 bytes. */
  readonly name: string;
  /** The id of the BTF object that it was loaded with, 0 without one. */
  readonly btfId: number;
}

/** BpfObjects are the programs in the kernel, or the maps. */
export interface BpfObjects {
  /** The smallest id above `after`, or null. Requires CAP_SYS_ADMIN. */
  nextId(after: number): number | null;
  /** What has the id, or null where nothing has it any more. Requires CAP_SYS_ADMIN. */
  info(id: number): BpfObjectInfo | null;
}

/**
 * Kernel is what the daemon asks of bpf(2). Failures are `BpfError` or, where there is no bpf(2) at
 * all, `BpfUnavailableError`.
 */
export interface Kernel {
  /** Loads BTF; on refusal the error has the verifier's log of up to `logSize` bytes. Requires CAP_BPF. */
  load(bytes: Uint8Array, logSize: number): Promise<KernelObject>;
  /** Opens the object with an id. Requires CAP_SYS_ADMIN. */
  open(id: number): KernelObject;
  /** The smallest id above `after`, or null. Requires CAP_SYS_ADMIN. */
  nextId(after: number): number | null;
  /** Makes the kernel parse its own BTF, which gives vmlinux an id. Requires CAP_BPF. */
  parseOwnBtf(): void;
  readonly programs: BpfObjects;
  readonly maps: BpfObjects;
  /** The capabilities in effect for the daemon. */
  capabilities(): { readonly sysAdmin: boolean; readonly bpf: boolean };
}

/** originOf returns where an object comes from. */
export function originOf({ kernelBtf, name }: Pick<ObjectInfo, 'kernelBtf' | 'name'>): Origin {
  if (!kernelBtf) return Origin.USER;
  if (name === 'vmlinux') return Origin.VMLINUX;
  // The name of a module has no dot. `vmlinux.inline` and `<module>.inline` belong to the kernel.
  return name.includes('.') ? Origin.KERNEL_OTHER : Origin.MODULE;
}
