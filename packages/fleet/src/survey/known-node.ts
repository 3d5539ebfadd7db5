import type { FleetNode } from '../source/node-source.js';
import type { NodeInfo } from './ask-node.js';

/** KnownNode is a node whose daemon has responded. */
export interface KnownNode {
  /** Its name in results. */
  readonly name: string;
  readonly node: FleetNode;
  readonly info: NodeInfo;
  /** Whether the info is from an earlier survey. */
  readonly isFromMemory: boolean;
}

/** How long the answer of a node is used for further questions. A node needs about that long to boot another kernel. */
const KEPT_MS = 60_000;

/** NodeMemory keeps the infos of nodes by address, so that questions that follow each other need one survey. */
export class NodeMemory {
  readonly #keptMs: number;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly at: number; readonly info: NodeInfo }>();

  /**
   * @param keptMs how long an answer is kept, in milliseconds.
   * @param now returns the time in milliseconds. Default: that of the process.
   */
  constructor(keptMs = KEPT_MS, now = () => performance.now()) {
    this.#keptMs = keptMs;
    this.#now = now;
  }

  /** get returns the answer of an address, if it is not too old. */
  get(address: string): NodeInfo | null {
    const known = this.#known.get(address);
    return known !== undefined && known.at > this.#now() - this.#keptMs ? known.info : null;
  }

  set(address: string, info: NodeInfo): void {
    this.#known.set(address, { at: this.#now(), info });
  }

  /** setAgain counts the time of infos from now on, except of those that were replaced or forgotten since they were set. */
  setAgain(infos: ReadonlyMap<string, NodeInfo>): void {
    for (const [address, info] of infos) if (this.#known.get(address)?.info === info) this.set(address, info);
  }

  forget(address: string): void {
    this.#known.delete(address);
  }

  /** keepOnly drops the infos of addresses that are not in the fleet any more. */
  keepOnly(addresses: ReadonlySet<string>): void {
    for (const address of this.#known.keys()) if (!addresses.has(address)) this.#known.delete(address);
  }
}
