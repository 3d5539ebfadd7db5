import { BtfError, status } from '@btfd/client';
import { Bounded } from '../base/bounded.js';
import type { LoopWatch } from '../pace/loop-watch.js';
import type { Pace } from '../pace/pace.js';
import { listNodes } from '../source/check-nodes.js';
import { distinctNodes, ownName } from '../source/distinct-nodes.js';
import type { FleetNode, NodeSource } from '../source/node-source.js';
import { askNode, type NodeBuild, type NodeInfo } from './ask-node.js';
import { reachNode } from './reach-node.js';
import type { KnownNode, NodeMemory } from './known-node.js';
import type { NodeClients } from './node-client.js';
import {
  failureOf,
  lateFailure,
  type NodeFailure,
  type NodeOutcome,
  notReadyFailure,
  problemFailure,
  starvedFailure,
} from './node-outcome.js';

/** A process that lost this much of the time of a call may have missed the response of the node. */
const STARVED_MS = 1_000;

/** SurveyedNode is the result of a survey for one node. */
export interface SurveyedNode {
  /** Its name in results: by its source, otherwise by its daemon, otherwise its address. */
  readonly name: string;
  readonly node: FleetNode;
  readonly outcome: NodeOutcome;
  /** The build of its kernel; null without an answer. */
  readonly build: NodeBuild | null;
}

/**
 * MemoryUse says when the last answer of a node is used: never, if its daemon says that it is still the same run on the same
 * boot, or without asking the node.
 */
export type MemoryUse = 'none' | 'same-run' | 'all';

/** SurveyContext is what a survey works with. */
export interface SurveyContext {
  readonly source: NodeSource;
  readonly pace: Pace;
  readonly loop: Pick<LoopWatch, 'lostSince'>;
  readonly memory: NodeMemory;
  readonly memoryUse: MemoryUse;
  readonly clients: NodeClients;
  readonly connectTimeout: number;
  readonly timeout: number;
}

/** SurveyListener is called for each node of a fleet, once. `known` is null without an answer. */
export type SurveyListener = (surveyed: SurveyedNode, known: KnownNode | null) => void;

/** Survey asks all nodes of a source for the builds of their kernels. */
export class Survey {
  readonly #context: SurveyContext;
  readonly #listener: SurveyListener;
  /** The names that are taken. */
  readonly #names = new Set<string>();
  /** The name of the node that leads to a run of a daemon. */
  readonly #daemons = new Map<string, string>();
  /** Nodes that did not respond while this process did not run. */
  readonly #again: FleetNode[] = [];
  /** Nodes without an outcome. */
  readonly #left = new Set<FleetNode>();
  /** The new infos by address. */
  readonly #infos = new Map<string, NodeInfo>();

  constructor(context: SurveyContext, listener: SurveyListener) {
    this.#context = context;
    this.#listener = listener;
  }

  /**
   * run lists the nodes and asks them. It returns when each has an outcome, and no call is in progress any more.
   *
   * @throws BtfError INVALID_RESPONSE, or what the source throws, if the nodes cannot be listed.
   * @throws the reason of the signal if it aborts.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { source, memory } = this.#context;
    const { nodes, duplicates } = distinctNodes(await listNodes(source, signal));
    memory.keepOnly(new Set(nodes.map(({ address }) => address)));
    for (const node of nodes) {
      this.#names.add(ownName(node));
      this.#left.add(node);
    }
    for (const name of duplicates.keys()) this.#names.add(name);
    for (const [name, of] of duplicates) this.#duplicate({ name, address: '' }, name, of);
    try {
      await this.#askAll(nodes, signal, false);
      await this.#askAll(this.#again, signal, true);
    } finally {
      // A survey may take longer than an answer is kept, and the question after it needs the first infos too.
      memory.setAgain(this.#infos);
    }
  }

  /** endLate gives nodes without an outcome that of the deadline. */
  endLate(): void {
    for (const node of this.#left) this.#fail(node, lateFailure());
  }

  async #askAll(nodes: readonly FleetNode[], signal: AbortSignal, isLast: boolean): Promise<void> {
    using bounded = new Bounded([signal], Infinity);
    const running = new Set<Promise<void>>();
    try {
      for (const node of nodes) {
        const place = await this.#context.pace.take(false, bounded.signal);
        const asking: Promise<void> = this.#ask(node, bounded.signal, isLast)
          // A mistake, such as of a function that the program passed, is that of all nodes.
          .catch((error: unknown) => bounded.abort(error))
          .finally(() => {
            place[Symbol.dispose]();
            running.delete(asking);
          });
        running.add(asking);
      }
    } finally {
      await Promise.all(running);
    }
    bounded.signal.throwIfAborted();
  }

  async #ask(node: FleetNode, signal: AbortSignal, isLast: boolean): Promise<void> {
    const { memory, memoryUse, loop } = this.#context;
    if (node.problem !== undefined) {
      this.#fail(node, problemFailure(node.problem));
      return;
    }
    if (node.ready === false) {
      this.#fail(node, notReadyFailure());
      return;
    }
    const kept = memoryUse === 'none' ? null : memory.get(node.address);
    if (kept !== null && memoryUse === 'all') {
      this.#succeed(node, kept, true);
      return;
    }
    const askedAt = performance.now();
    let info: NodeInfo;
    try {
      info = await this.#infoOf(node, kept, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!BtfError.isBtfError(error)) throw error;
      memory.forget(node.address);
      const failure = failureOf(error);
      const lost = loop.lostSince(askedAt);
      const isStarved = isTimeout(error) && lost > STARVED_MS;
      if (!isStarved) this.#fail(node, failure);
      else if (isLast) this.#fail(node, starvedFailure(failure, lost));
      else this.#again.push(node);
      return;
    }
    memory.set(node.address, info);
    this.#infos.set(node.address, info);
    this.#succeed(node, info, false);
  }

  async #infoOf(node: FleetNode, kept: NodeInfo | null, signal: AbortSignal): Promise<NodeInfo> {
    const { clients, connectTimeout, timeout } = this.#context;
    const { address } = node;
    await using client = clients.open(node);
    await reachNode(address, connectTimeout, signal);
    return await askNode(client, kept, { address, connectTimeout, timeout, signal });
  }

  #succeed(node: FleetNode, info: NodeInfo, isFromMemory: boolean): void {
    const name = this.#nameOf(node, info);
    const run = runOf(info);
    const first = this.#daemons.get(run);
    if (first !== undefined) {
      this.#duplicate(node, name, first);
      return;
    }
    if (info.daemonEpoch !== '') this.#daemons.set(run, name);
    this.#names.add(name);
    this.#left.delete(node);
    const surveyed = { name, node, outcome: { kind: 'answered' }, build: info.build } as const;
    this.#listener(surveyed, { name, node, info, isFromMemory });
  }

  #duplicate(node: FleetNode, name: string, of: string): void {
    this.#left.delete(node);
    this.#listener({ name, node, outcome: { kind: 'duplicate', of }, build: null }, null);
  }

  #fail(node: FleetNode, outcome: NodeFailure): void {
    this.#left.delete(node);
    this.#listener({ name: ownName(node), node, outcome, build: null }, null);
  }

  /** A daemon is a stranger: its name counts only if it can be a name, and no other node has it. */
  #nameOf(node: FleetNode, { nodeName }: NodeInfo): string {
    if (node.name !== undefined) return node.name;
    return nodeName !== '' && !this.#names.has(nodeName) ? nodeName : ownName(node);
  }
}

/** Returns what is the same for one run of a daemon. Its epoch is not enough: a daemon that says that of another would hide it. */
function runOf({ daemonEpoch, bootId, build: { digest, release, machine } }: NodeInfo): string {
  return JSON.stringify([daemonEpoch, bootId, digest, release, machine]);
}

/** Whether there was no response, or no connection, in time. */
function isTimeout({ code, reason, cause }: BtfError): boolean {
  return code === status.DEADLINE_EXCEEDED || (reason === 'UNREACHABLE' && cause === undefined);
}
