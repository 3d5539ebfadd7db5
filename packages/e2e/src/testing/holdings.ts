/** Holdings are the resources that a daemon holds at one moment. */
export interface Holdings {
  /** Handles in its table. */
  readonly handles: number;
  /** Open file descriptors of BTF objects in its addon. */
  readonly kernelFds: number;
  /** Timers that keep the process alive. */
  readonly timers: number;
  /** Connections. */
  readonly connections: number;
  /** The use of the quotas of calls, streams, loads and bytes of BTF. */
  readonly inUse: number;
  /** Memory of JavaScript values and of buffers, after a garbage collection. */
  readonly heapBytes: number;
  /** The number of calls of the kernel that failed on purpose. */
  readonly faults: number;
}
