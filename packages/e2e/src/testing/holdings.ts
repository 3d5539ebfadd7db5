/** Holdings are what a daemon holds at a moment. */
export interface Holdings {
  /** Handles in its table. */
  readonly handles: number;
  /** File descriptors of BTF objects that its addon has open. */
  readonly kernelFds: number;
  /** Timers that keep the process alive. */
  readonly timers: number;
  /** Connections. */
  readonly connections: number;
  /** What callers have of the quotas of calls, streams, loads and bytes of BTF. */
  readonly inUse: number;
  /** Memory of JavaScript values and of buffers, after a collection. */
  readonly heapBytes: number;
  /** Calls of the kernel that were made to fail. */
  readonly faults: number;
}
