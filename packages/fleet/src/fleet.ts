import type { SpecDiff } from '@btfd/btf';
import { BtfError, type ObjectReport, status } from '@btfd/client';
import { type AskedNode, type AskOptions, askBuilds, type Question } from './ask/ask-builds.js';
import { buildKey, buildOf, byNodes, type FleetAnswer, type KernelBuild } from './ask/fleet-answer.js';
import { aTime, aWholeNumber, onlyKnown } from './base/argument.js';
import { Arrivals } from './base/arrivals.js';
import { Bounded } from './base/bounded.js';
import { systemClock } from './base/clock.js';
import { LoopWatch } from './pace/loop-watch.js';
import { Pace } from './pace/pace.js';
import { CHECK_OPTIONS, checkQuestion, type FleetCheckOptions } from './question/check-object.js';
import { checkDiff, DIFF_OPTIONS, diffBuilds, type FleetDiffOptions } from './question/diff.js';
import { type FindTypesOptions, type FoundType, nameTestOf, typesOf } from './question/find-types.js';
import { KernelSpecs, ofObject } from './question/kernel-specs.js';
import { alternativesOf, type FleetMember, membersOf } from './question/resolve-members.js';
import { MAX_NODES } from './source/check-nodes.js';
import type { NodeSource } from './source/node-source.js';
import { type KnownNode, NodeMemory } from './survey/known-node.js';
import { NodeClients, type NodeClientOptions } from './survey/node-client.js';
import { isAnswer, type NodeOutcome } from './survey/node-outcome.js';
import { Survey, type SurveyContext, type SurveyedNode } from './survey/survey.js';
import type { FleetChange } from './watch/fleet-change.js';
import { FleetWatch } from './watch/fleet-watch.js';

/** BtfFleetOptions are the options of a {@link BtfFleet}. */
export interface BtfFleetOptions extends NodeClientOptions {
  /** How many nodes are asked at one time, and so the number of connections. Default: 32. */
  readonly concurrency?: number | undefined;
  /**
   * The time for a connection on which the daemon of a node speaks HTTP/2, in milliseconds. Default: 3 s, because a third of
   * a large fleet may be silent.
   */
  readonly connectTimeout?: number | undefined;
  /** The BTF of kernels to keep for further questions, in bytes. Default: 64 MiB. */
  readonly specCacheBytes?: number | undefined;
}

/** ResolveMembersOptions are the options of {@link BtfFleet.resolveMembers}. */
export interface ResolveMembersOptions extends AskOptions {
  /** The object of the kernel: `vmlinux` or the name of a module. Default: `vmlinux`. */
  readonly object?: string | undefined;
}

/** SurveyOptions are the options of a survey. */
export interface SurveyOptions {
  /** Aborting it ends the survey, which then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** WatchFleetOptions are the options of {@link BtfFleet.watch}. */
export interface WatchFleetOptions {
  /** Aborting it ends the watch, which then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** How often every node is asked, in milliseconds. Default: one minute. */
  readonly interval?: number | undefined;
  /** Whether other modules count as another build. Default: false. */
  readonly modules?: boolean | undefined;
}

/** InventoryBuild is a build of the kernel, and the nodes that run it. */
export interface InventoryBuild {
  readonly build: KernelBuild;
  /** The names of the nodes, sorted. */
  readonly nodes: readonly string[];
}

/** Inventory is the builds that the nodes of a fleet run. */
export interface Inventory {
  /** The builds, those of the most nodes first. */
  readonly builds: readonly InventoryBuild[];
  /** The outcome of each node, by name. */
  readonly nodes: ReadonlyMap<string, NodeOutcome>;
  /** Whether every node has answered. */
  readonly complete: boolean;
}

const OPTIONS: readonly (keyof BtfFleetOptions)[] = [
  'tls',
  'credentials',
  'metadata',
  'interceptors',
  'channelOptions',
  'specCacheDir',
  'specCacheDirBytes',
  'timeout',
  'concurrency',
  'connectTimeout',
  'specCacheBytes',
];
const ASK_OPTIONS: readonly (keyof AskOptions)[] = ['signal', 'deadline', 'onNode'];

/** A bounded fan-out: the asker's own event loop is what a larger one keeps waiting. */
const DEFAULT_CONCURRENCY = 32;
const DEFAULT_CONNECT_MS = 3_000;
/** A daemon in the same network responds within milliseconds. A call that takes this long is lost. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** A node needs about that long to boot another kernel. */
const DEFAULT_INTERVAL_MS = 60_000;

/**
 * BtfFleet asks the daemons of many nodes. A question is asked once for each build of the kernel, and the answer of one node is
 * that of all nodes of its build. Nodes that do not respond do not keep the others from being asked: each node has
 * exactly one outcome, and an answer without some nodes says so.
 *
 * A survey asks every node for the digest of its kernel. Its results are used for a minute by the questions that follow.
 *
 * ```ts
 * await using fleet = new BtfFleet(dnsNodes('btfd.btfd.svc.cluster.local:7443'), { tls });
 * const { builds, complete } = await fleet.resolveMembers(['task_struct.start_boottime|task_struct.real_start_time']);
 * ```
 */
export class BtfFleet implements AsyncDisposable {
  readonly #context: Omit<SurveyContext, 'memoryUse'>;
  readonly #specs: KernelSpecs;
  readonly #loop = new LoopWatch();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  /**
   * The constructor does not connect.
   *
   * @throws BtfError INVALID_REQUEST for an option that is unknown or cannot be used.
   */
  constructor(source: NodeSource, options: BtfFleetOptions = {}) {
    onlyKnown(options, OPTIONS);
    const {
      concurrency = DEFAULT_CONCURRENCY,
      connectTimeout = DEFAULT_CONNECT_MS,
      timeout = DEFAULT_TIMEOUT_MS,
      specCacheBytes,
      ...others
    } = options;
    aWholeNumber('concurrency', concurrency, 1, MAX_NODES);
    aTime('connectTimeout', connectTimeout);
    aTime('timeout', timeout);
    if (specCacheBytes !== undefined)
      aWholeNumber('specCacheBytes', specCacheBytes, 0, Number.MAX_SAFE_INTEGER);
    this.#specs = new KernelSpecs({ maxBytes: specCacheBytes, timeout });
    const pace = new Pace(concurrency, this.#loop);
    const memory = new NodeMemory();
    const clients = new NodeClients({ ...others, timeout });
    this.#context = { source, pace, loop: this.#loop, memory, clients, connectTimeout, timeout };
  }

  /**
   * survey asks every node for the build of its kernel, and yields each node once, as soon as it is known. Leaving the
   * loop ends the survey.
   *
   * ```ts
   * for await (const { name, outcome, build } of fleet.survey()) console.log(name, outcome.kind, build?.release);
   * ```
   *
   * @throws BtfError INVALID_RESPONSE, or what the source throws, if the nodes cannot be listed.
   * @throws BtfError CLIENT_CLOSED if the fleet is closed.
   */
  async *survey({ signal }: SurveyOptions = {}): AsyncGenerator<SurveyedNode, void, undefined> {
    using bounded = this.#bounded(signal);
    const arrivals = new Arrivals<SurveyedNode>();
    const context = { ...this.#context, memoryUse: 'none' as const };
    const survey = new Survey(context, (surveyed) => arrivals.add(surveyed));
    const running = this.#follow(survey.run(bounded.signal)).finally(() => arrivals.end());
    // Awaited below.
    running.catch(() => {});
    try {
      yield* arrivals.read();
      await running;
    } finally {
      bounded.abort(new DOMException('the survey was left', 'AbortError'));
      await Promise.allSettled([running]);
    }
  }

  /**
   * watch yields the changes of the fleet: all nodes first, as they answer, then those that come, go, stop to respond, respond
   * again or run another build, and the builds that come and go with them. It asks every node at an interval. If the source
   * says when its nodes change, it also lists them after that, and asks those that are new. Errors of the source are changes
   * too, and the source is asked again. Leaving the loop ends the watch.
   *
   * ```ts
   * for await (const change of fleet.watch()) if (change.kind === 'build-appeared') console.log(change.build.release);
   * ```
   *
   * A reader who is slow misses nothing that is still so: the next survey begins after the last change was read.
   *
   * @throws BtfError INVALID_REQUEST for an option that is unknown or cannot be used.
   * @throws BtfError CLIENT_CLOSED if the fleet is closed, and the reason of the signal if it aborts.
   */
  async *watch(options: WatchFleetOptions = {}): AsyncGenerator<FleetChange, void, undefined> {
    onlyKnown(options, ['signal', 'interval', 'modules']);
    const { signal, interval = DEFAULT_INTERVAL_MS, modules = false } = options;
    aTime('interval', interval);
    using bounded = this.#bounded(signal);
    const follow = async (work: Promise<void>): Promise<void> => this.#follow(work);
    const watch = new FleetWatch(this.#asking(), { interval, modules, clock: systemClock, follow });
    yield* watch.changes(bounded.signal);
  }

  /**
   * inventory asks every node, and returns the builds of the kernel that they run.
   *
   * @throws BtfError as `survey` does.
   */
  async inventory(options: AskOptions = {}): Promise<Inventory> {
    onlyKnown(options, ASK_OPTIONS);
    const groups = new Map<string, KnownNode[]>();
    const nodes = new Map<string, NodeOutcome>();
    using bounded = this.#bounded(options.signal, options.deadline);
    const survey = new Survey({ ...this.#context, memoryUse: 'none' as const }, (surveyed, known) => {
      nodes.set(surveyed.name, surveyed.outcome);
      options.onNode?.(surveyed);
      if (known === null) return;
      const key = buildKey(known);
      groups.set(key, [...(groups.get(key) ?? []), known]);
    });
    let isLate = false;
    try {
      await this.#follow(survey.run(bounded.signal));
    } catch (error) {
      if (!bounded.timedOut) throw error;
      isLate = true;
      survey.endLate();
    }
    const builds = [...groups.values()].map((known) => ({
      build: buildOf(known),
      nodes: known.map(({ name }) => name).toSorted(),
    }));
    return {
      builds: builds.toSorted(byNodes),
      nodes,
      complete: !isLate && [...nodes.values()].every(isAnswer),
    };
  }

  /**
   * checkObject reports whether a loader could load a BPF object into the kernel of each build, as `checkObject` of
   * `BtfClient`. Nodes of one build whose modules or releases differ are asked too if the report depends on these.
   *
   * ```ts
   * const { builds } = await fleet.checkObject(readFileSync('agent.bpf.o'));
   * for (const { value, nodes } of builds) console.log(value?.verdict, nodes.length);
   * ```
   *
   * @throws BtfError as `askEachBuild` does. An object that cannot be read is an error of each build.
   */
  async checkObject(
    object: Uint8Array,
    options: FleetCheckOptions & AskOptions = {},
  ): Promise<FleetAnswer<ObjectReport>> {
    onlyKnown(options, [...ASK_OPTIONS, ...CHECK_OPTIONS]);
    const { signal, deadline, onNode, ...check } = options;
    return this.#ask(checkQuestion(object, check), { signal, deadline, onNode });
  }

  /**
   * resolveMembers returns where members are in the kernel of each build. A path may have alternatives, of which the
   * first that leads to a member counts: `task_struct.start_boottime|task_struct.real_start_time`.
   *
   * @throws BtfError INVALID_REQUEST for an alternative that is empty.
   * @throws BtfError as `askEachBuild` does.
   */
  async resolveMembers(
    paths: readonly string[],
    options: ResolveMembersOptions = {},
  ): Promise<FleetAnswer<readonly FleetMember[]>> {
    onlyKnown(options, [...ASK_OPTIONS, 'object']);
    for (const path of paths) alternativesOf(path);
    const { object = 'vmlinux', ...ask } = options;
    return this.#ask(
      ofObject(object, async ({ client, signal }) => membersOf(client, object, paths, signal)),
      ask,
    );
  }

  /**
   * findTypes returns the types of each build whose name matches a glob. The BTF of a build is transferred once.
   *
   * @throws BtfError INVALID_REQUEST for a mistake in the glob.
   * @throws BtfError as `askEachBuild` does.
   */
  async findTypes(
    glob: string,
    options: FindTypesOptions & AskOptions = {},
  ): Promise<FleetAnswer<readonly FoundType[]>> {
    onlyKnown(options, [...ASK_OPTIONS, 'kinds', 'object']);
    const test = nameTestOf('glob', glob);
    const { kinds, object = 'vmlinux', ...ask } = options;
    return this.#ask(
      ofObject(object, async (node) => typesOf(await this.#specs.of(node, object), test, kinds)),
      ask,
    );
  }

  /**
   * diff compares the types of each build with those of a node, of a build, or of a Spec. The BTF of a build is transferred
   * once.
   *
   * ```ts
   * const { builds } = await fleet.diff({ from: '@web1', types: ['task_struct'] });
   * for (const { value, nodes } of builds) console.log(nodes, value?.changed);
   * ```
   *
   * Without a Spec, the whole fleet is surveyed before the first build is asked.
   *
   * @throws BtfError INVALID_REQUEST for a mistake in `from` or in a glob.
   * @throws BtfError NOT_FOUND if no node is meant by `from`, and the error of that node if it does not answer.
   * @throws BtfError as `askEachBuild` does.
   */
  async diff(options: FleetDiffOptions & AskOptions): Promise<FleetAnswer<SpecDiff>> {
    onlyKnown(options, [...ASK_OPTIONS, ...DIFF_OPTIONS]);
    const { signal, deadline, onNode, ...diff } = options;
    checkDiff(diff);
    if (deadline !== undefined) aTime('deadline', deadline);
    using bounded = this.#bounded(signal);
    const limits = { signal: bounded.signal, deadline, onNode };
    return await this.#follow(diffBuilds(this.#asking(), this.#specs, diff, limits));
  }

  /**
   * askEachBuild asks one node of each build, as soon as a node of the build has responded. If it fails, the next node of
   * the build is asked, three at most. The other questions of this class are made of it.
   *
   * ```ts
   * const answer = await fleet.askEachBuild({ ask: async ({ client, signal }) => client.cHeader('vmlinux', { names: ['pid'] }, { signal }) });
   * ```
   *
   * By default an answer must depend on the BTF of vmlinux only. `dependsOn` says what else it depends on, and then nodes with
   * other modules or another release are asked too, one for each distinct answer.
   *
   * @throws BtfError INVALID_RESPONSE, or what the source throws, if the nodes cannot be listed.
   * @throws BtfError CLIENT_CLOSED if the fleet is closed.
   * @throws Error of the question, if that is not a BtfError.
   */
  async askEachBuild<T>(
    question: Question<T> | ((node: AskedNode) => Promise<T>),
    options: AskOptions = {},
  ): Promise<FleetAnswer<T>> {
    onlyKnown(options, ASK_OPTIONS);
    return this.#ask(typeof question === 'function' ? { ask: question } : question, options);
  }

  /** close ends the questions in progress, which fail with CLIENT_CLOSED. Never rejects. Closing again does nothing. */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) this.#closing.abort(fleetClosed());
    await Promise.allSettled(this.#running);
    this.#loop[Symbol.dispose]();
  }

  /** Closes the fleet. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ask<T>(question: Question<T>, options: AskOptions): Promise<FleetAnswer<T>> {
    const { signal, deadline = Infinity } = options;
    if (deadline !== Infinity) aTime('deadline', deadline);
    using bounded = this.#bounded(signal);
    return await this.#follow(askBuilds(this.#asking(), question, { ...options, signal: bounded.signal }));
  }

  /** Questions use the last survey. */
  #asking(): SurveyContext {
    return { ...this.#context, memoryUse: 'all' };
  }

  /** Returns a signal that also aborts when the fleet is closed. */
  #bounded(signal: AbortSignal | undefined, deadline = Infinity): Bounded {
    if (deadline !== Infinity) aTime('deadline', deadline);
    return new Bounded([signal, this.#closing.signal], deadline);
  }

  async #follow<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}

function fleetClosed(): BtfError {
  const message = 'the fleet is closed';
  return new BtfError({ code: status.FAILED_PRECONDITION, reason: 'CLIENT_CLOSED', message });
}
