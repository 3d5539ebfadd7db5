import type { PolicyOptions } from './auth/policy-options.js';
import type { TlsFiles } from './auth/tls-files.js';
import type { Address, TcpAddress, UnixAddress } from './base/address.js';
import type { Limits } from './config/limits.js';
import type { Kernel } from './kernel/kernel.js';
import type { ObservabilityOptions } from './observe/observability-options.js';

/** DaemonOptions are the options of `startDaemon`. */
export interface DaemonOptions extends ObservabilityOptions {
  /** The addresses to listen on. */
  readonly addresses: readonly Address[];
  /** The folder of BTF files to serve instead of the kernel; null serves the kernel. */
  readonly btfDir: string | null;
  readonly kernel: Kernel;
  /** Returns the name of the node, or '' if it has none. Default: the host name. */
  readonly nodeName?: () => string;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Limits>;
  /** Roles in addition to the default ones. Default: none. */
  readonly policy?: PolicyOptions;
  /** TLS for every TCP address. The files are read again when they change. Default: no TLS. */
  readonly tls?: TlsFiles | null;
  /** Allows TCP on loopback without TLS. Every caller there is anonymous. Default: false. */
  readonly insecure?: boolean;
  /** A unix socket on which loaders get file descriptors of their handles. Default: none. */
  readonly fdSocket?: UnixAddress | null;
  /** The group of unix sockets, whose members are viewers. Default: the daemon's own group. */
  readonly socketGroup?: number | null;
}

/** DaemonUsage is what the clients of a daemon hold. The metrics have the same numbers, by role and origin. */
export interface DaemonUsage {
  readonly handles: number;
  readonly connections: number;
  /** Calls and streams that have not ended. */
  readonly calls: number;
  readonly streams: number;
  /** Loads that wait or are in the kernel. */
  readonly loads: number;
  /** Bytes of BTF that requests and loads hold. */
  readonly btfBytes: number;
  /** Bytes of BPF objects that are checked. */
  readonly objectBytes: number;
}

/** Daemon is a running btfd. */
export interface Daemon {
  /** The addresses that it listens on, with the actual port instead of port 0. */
  readonly addresses: readonly Address[];
  /** The address of metrics and probes; null if they are not served. */
  readonly metricsAddress: TcpAddress | null;
  /** Returns what clients hold now. */
  usage(): DaemonUsage;
  /**
   * Reads the policy and the files of TLS again. Calls that the new policy does not allow end.
   *
   * @returns whether both could be used. Otherwise the problem is logged, and the old ones stay in force.
   */
  reload(): Promise<boolean>;
  /**
   * Stops the daemon. It takes no new connections and calls. Streams end with UNAVAILABLE, unary calls may finish within
   * `drainMs`, and every handle is closed. A second call waits for the same end.
   */
  stop(): Promise<void>;
}
