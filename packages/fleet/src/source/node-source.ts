/** FleetNode is a node of a fleet: where its daemon is. */
export interface FleetNode {
  /**
   * The name, for people: at most 253 printable ASCII characters without spaces. Nodes with one name are one node.
   * Default: the name that the daemon says, otherwise the address.
   */
  readonly name?: string | undefined;
  /** The address of the daemon, as `BtfClient` takes it. Nodes with one address are one node. */
  readonly address: string;
  /** The name that the daemon's certificate must have. Default: that of the fleet's options. */
  readonly serverName?: string | undefined;
  /** Other facts of the node, such as its zone. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Whether the daemon can be asked. If false, the node is listed as `not-ready`. Default: true. */
  readonly ready?: boolean | undefined;
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
}
