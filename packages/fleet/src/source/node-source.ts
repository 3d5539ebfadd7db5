import type { TlsFiles } from '@btfd/client';

/** FleetNode is a node of a fleet: where its daemon is. */
export interface FleetNode {
  /**
   * The name, for people: at most 253 printable ASCII characters without spaces. Nodes with one name are one node.
   * Default: the name that the daemon says, otherwise the address.
   */
  readonly name?: string | undefined;
  /**
   * The address of the daemon, as `BtfClient` takes it. Nodes with one address are one node. It may be empty if there is a
   * `problem`.
   */
  readonly address: string;
  /** The name that the daemon's certificate must have. Default: that of the fleet's options. */
  readonly serverName?: string | undefined;
  /**
   * The certificates for this node, instead of those of the fleet's options; null for no TLS. Only a source that its user
   * writes has it, such as the contexts of btfctl. Default: those of the fleet's options.
   */
  readonly tls?: TlsFiles | null | undefined;
  /** Other facts of the node, such as its zone. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Whether the daemon can be asked. If false, the node is listed as `not-ready`. Default: true. */
  readonly ready?: boolean | undefined;
  /**
   * Why the daemon cannot be asked, for example that the source has no address that could be used: at most 512 printable
   * ASCII characters. The node is listed as `failed`. Default: none.
   */
  readonly problem?: string | undefined;
}

/** ListOptions are the options of a listing. */
export interface ListOptions {
  /** Aborting it ends the listing, which then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** NodeSource lists the nodes of a fleet. */
export interface NodeSource {
  /** The listed nodes in words, for messages: `DNS name btfd.btfd.svc.cluster.local`. */
  readonly description: string;
  /** list returns the nodes as they are now, at most 10,000. */
  list(options?: ListOptions): Promise<readonly FleetNode[]>;
  /**
   * changes yields when listing again is worth it, also when it may have missed a change. It ends when the signal aborts. It
   * is only a hint: the fleet also lists again without it. Default: none.
   */
  changes?(options: { readonly signal: AbortSignal }): AsyncIterable<void>;
}
