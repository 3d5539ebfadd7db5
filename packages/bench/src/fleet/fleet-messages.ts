/** NodesMessage is what the process of the nodes sends: their addresses, and how often BTF was transferred until now. */
export interface NodesMessage {
  readonly addresses: readonly string[];
  readonly transfers: number;
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
  readonly sockets: number;
  /** The most memory that the process has had, in MiB. */
  readonly mebibytes: number;
}
