/** ObjectInfo is the kernel's information about a BTF object. */
export interface ObjectInfo {
  /** The BTF id, or 0 for an object that left the kernel's list while it was held. */
  readonly id: number;
  readonly name: string;
  readonly kernelBtf: boolean;
  /** Size of the raw BTF in bytes. */
  readonly size: number;
}

/** KernelObject is a BTF object held open through a file descriptor. */
export interface KernelObject {
  /** info asks the kernel about the object. */
  info(): ObjectInfo;
  /**
   * read returns the raw BTF, in memory that threads can share if asked to. It reads off the event loop, and `close` may be
   * called meanwhile.
   */
  read(memory?: 'own' | 'shared'): Promise<Uint8Array>;
  /**
   * send sends a text and a file descriptor of the object over the unix socket with a file descriptor. It never waits. Throws
   * a `SystemCallError` if the system refuses.
   */
  send(socket: number, text: string): void;
  /** dup returns a second reference to the object. */
  dup(): KernelObject;
  /** close releases the object. It returns whether the object was open. */
  close(): boolean;
}

/** BpfObjectInfo is the kernel's information about a program or a map. */
export interface BpfObjectInfo {
  /** The beginning of its name, at most 15 bytes. */
  readonly name: string;
  /** The id of the BTF object that it was loaded with, or 0. */
  readonly btfId: number;
  /** The types of the keys and the values of a map in that BTF. 0 for none, and for programs. */
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
}

/** BpfObjects are the programs in the kernel, or the maps. */
export interface BpfObjects {
  /** nextId returns the smallest id above `after`, or null. Requires CAP_SYS_ADMIN. */
  nextId(after: number): number | null;
  /** info returns the information about an id, or null if the object is gone. Requires CAP_SYS_ADMIN. */
  info(id: number): BpfObjectInfo | null;
}

/**
 * Kernel has the calls of bpf(2) that the daemon makes. Each throws a `BpfError` if the kernel refuses it, or a
 * `BpfUnavailableError` if there is no bpf(2).
 */
export interface Kernel {
  /**
   * load loads BTF. If the kernel refuses it, the error has up to `logSize` bytes of its log. Requires CAP_BPF.
   * Since Linux 4.18.
   */
  load(bytes: Uint8Array, logSize: number): Promise<KernelObject>;
  /** open opens the object with an id. Requires CAP_SYS_ADMIN. */
  open(id: number): KernelObject;
  /** nextId returns the smallest id above `after`, or null. Requires CAP_SYS_ADMIN. */
  nextId(after: number): number | null;
  /** parseOwnBtf makes the kernel parse its own BTF, which gives vmlinux an id. Requires CAP_BPF. */
  parseOwnBtf(): void;
  readonly programs: BpfObjects;
  readonly maps: BpfObjects;
  /** capabilities returns the capabilities in effect for the daemon. */
  capabilities(): { readonly sysAdmin: boolean; readonly bpf: boolean };
}
