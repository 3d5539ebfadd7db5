import { Arrivals } from '../base/arrivals.js';
import { Bounded, orAborted } from '../base/bounded.js';
import type { Clock } from '../base/clock.js';
import { listNodes } from '../source/check-nodes.js';
import { type DistinctNodes, distinctNodes } from '../source/distinct-nodes.js';
import type { NodeSource } from '../source/node-source.js';
import { NodeMemory } from '../survey/known-node.js';
import { type MemoryUse, Survey, type SurveyContext, type SurveyedNode } from '../survey/survey.js';
import type { FleetChange, SourceFailed } from './fleet-change.js';
import { NodeStates } from './node-states.js';
import { pauseAfter, SourceHints } from './source-hints.js';

/** Changes come in crowds, as when a pool of nodes is replaced. */
const SETTLE_MS = 500;

/** FleetWatchOptions are the options of a {@link FleetWatch}. */
export interface FleetWatchOptions {
  /** How often every node is asked, in milliseconds. */
  readonly interval: number;
  /** Whether changes of modules count. */
  readonly modules: boolean;
  readonly clock: Clock;
  /** Follows work in the background, which ends soon after the signal of the watch aborts, also if nobody reads it. */
  readonly follow: (work: Promise<void>) => Promise<void>;
}

/**
 * FleetWatch reports the changes of a fleet. It asks every node at an interval. In between it asks only the nodes that the
 * source lists for the first time or in another way, when the source hints at changes. The next survey begins after the
 * reader has taken the changes of the last one, so that a slow reader costs no more memory.
 */
export class FleetWatch {
  readonly #context: SurveyContext;
  readonly #options: FleetWatchOptions;
  readonly #wholeUse: MemoryUse;
  readonly #states: NodeStates;

  constructor(context: SurveyContext, options: FleetWatchOptions) {
    this.#context = { ...context, memory: new NodeMemory(Infinity) };
    // A daemon of the same run has the same kernel. Only its modules may be others.
    this.#wholeUse = options.modules ? 'none' : 'same-run';
    this.#options = options;
    this.#states = new NodeStates(options.modules);
  }

  /**
   * changes yields the changes, all nodes first. Errors of the source are changes too: it is asked again after 1 s, 2 s and so
   * on up to a minute, and until then the nodes of its last list are asked.
   *
   * @throws the reason of the signal when it aborts.
   */
  async *changes(outer: AbortSignal): AsyncGenerator<FleetChange, void, undefined> {
    using bounded = new Bounded([outer], Infinity);
    const { signal } = bounded;
    const { clock, interval, follow } = this.#options;
    const hints = new SourceHints(this.#context.source, clock, signal);
    void follow(hints.ended());
    const listing = new Listing(this.#context.source);
    let isSynced = false;
    let timer = new Timer(clock, 0, signal);
    try {
      for (;;) {
        const failure = await listing.refresh(signal);
        if (failure !== null) yield failure;
        const { nodes, failures } = listing;
        const isWhole = timer.isOver;
        if (nodes !== null && (isWhole || failures === 0)) {
          yield* this.#survey(nodes, isWhole, signal);
          if (isWhole) timer = new Timer(clock, interval, signal);
        }
        if (failures === 0 && !isSynced)
          yield { kind: 'synced', nodes: this.#states.nodeCount, builds: this.#states.buildCount };
        isSynced = failures === 0;
        // Until the first list, the timer is over.
        const due = timer.isOver ? [] : [timer.over];
        const retry = failures === 0 ? hints.next() : new Timer(clock, pauseAfter(failures), signal).over;
        await orAborted(Promise.race([...due, retry]), signal);
        const problem = hints.take();
        if (problem !== null) yield { kind: 'source-failed', error: problem };
        if (failures === 0 && !timer.isOver) await clock.pause(SETTLE_MS, signal);
      }
    } finally {
      bounded.abort(new DOMException('the watch was left', 'AbortError'));
      await hints.ended();
    }
  }

  /** Asks all nodes, or those of which the source says something new. */
  async *#survey(
    { nodes, duplicates }: DistinctNodes,
    isWhole: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<FleetChange, void, undefined> {
    const { memory, source } = this.#context;
    const states = this.#states;
    const asked = isWhole
      ? nodes
      : nodes.filter((node) => memory.get(node.address) !== null || !states.isKnown(node));
    const context: SurveyContext = {
      ...this.#context,
      source: { description: source.description, list: async () => asked },
      memoryUse: isWhole ? this.#wholeUse : 'all',
    };
    const arrivals = new Arrivals<FleetChange>();
    const add = (changes: readonly FleetChange[]): void => {
      for (const change of changes) arrivals.add(change);
    };
    using leaving = new Bounded([signal], Infinity);
    const survey = new Survey(context, (surveyed) => add(states.update(surveyed)));
    const running = this.#options.follow(survey.run(leaving.signal)).finally(() => arrivals.end());
    // Awaited below.
    running.catch(() => {});
    try {
      yield* arrivals.read();
      await running;
    } finally {
      leaving.abort(new DOMException('the watch was left', 'AbortError'));
      await Promise.allSettled([running]);
    }
    const others = [...duplicates].map(([name, of]): SurveyedNode => {
      return { name, node: { name, address: '' }, outcome: { kind: 'duplicate', of }, build: null };
    });
    for (const each of others) yield* states.update(each);
    yield* states.keepOnly([...nodes, ...others.map(({ node }) => node)]);
  }
}

/** Timer says when a time is over. */
class Timer {
  isOver: boolean;
  readonly over: Promise<void>;

  constructor(clock: Clock, ms: number, signal: AbortSignal) {
    this.isOver = ms === 0;
    const pause = ms === 0 ? Promise.resolve() : clock.pause(ms, signal);
    this.over = pause.then(() => void (this.isOver = true));
    // It may end after nobody waits for it.
    this.over.catch(() => {});
  }
}

/** Listing is the last list of a source. */
class Listing {
  readonly #source: NodeSource;
  nodes: DistinctNodes | null = null;
  /** How often the source has failed since then. */
  failures = 0;
  #lastMessage: string | null = null;

  constructor(source: NodeSource) {
    this.#source = source;
  }

  /** refresh lists again. @returns the failure of the source, if it is another one than before. */
  async refresh(signal: AbortSignal): Promise<SourceFailed | null> {
    try {
      this.nodes = distinctNodes(await listNodes(this.#source, signal));
      this.failures = 0;
      this.#lastMessage = null;
      return null;
    } catch (thrown) {
      signal.throwIfAborted();
      this.failures += 1;
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (error.message === this.#lastMessage) return null;
      this.#lastMessage = error.message;
      return { kind: 'source-failed', error };
    }
  }
}
