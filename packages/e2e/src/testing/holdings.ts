/** Holdings are the resources that a daemon holds at one moment. */
export interface Holdings {
  /** Handles in its table. */
  readonly handles: number;
  /** BTF objects that its addon has open. */
  readonly kernelFds: number;
  /** Timers that keep the process alive. */
  readonly timers: number;
  /** Connections. */
  readonly connections: number;
  /** The used parts of the quotas of calls, streams, loads and bytes of BTF. */
  readonly inUse: number;
  /** Memory of JavaScript values and of buffers, after garbage collection. */
  readonly heapBytes: number;
  /** Kernel calls that were made to fail. */
  readonly faults: number;
}
