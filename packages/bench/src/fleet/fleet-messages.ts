/** NodesMessage is the message of the process of the nodes. */
export interface NodesMessage {
  readonly addresses: readonly string[];
  /** CPU time to start a fake daemon, in milliseconds. */
  readonly startMs: number;
  /** Bytes of BTF that were transferred until now. */
  readonly movedBytes: number;
  /** Bytes of the BTF of all builds, each once. */
  readonly distinctBytes: number;
}

/** Cost is the cost of one question in the asking process. */
export interface Cost {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** AskedMessage is what the asking process sends at its end. */
export interface AskedMessage {
  readonly survey: Cost;
  /** One question for each build, after the survey. */
  readonly question: Cost;
  readonly builds: number;
  readonly answered: number;
  readonly nodes: number;
  /** The most memory that the process has had, in MiB. */
  readonly mebibytes: number;
}
