import { BtfReadError } from '@btfd/btf';
import { type BtfClient, BtfError, status } from '@btfd/client';
import { Bounded, orAborted } from '../base/bounded.js';
import { objectDigests } from '../survey/ask-node.js';
import type { KnownNode } from '../survey/known-node.js';
import { reachNode } from '../survey/reach-node.js';
import { serverInfoOf } from '../survey/server-info.js';
import {
  failureOf,
  isAnswer,
  lateFailure,
  type NodeFailure,
  type NodeOutcome,
} from '../survey/node-outcome.js';
import type { SurveyRun } from '../survey/past-survey.js';
import { Survey, type SurveyContext, type SurveyedNode, type SurveyListener } from '../survey/survey.js';
import { BuildGroup, type Given } from './build-group.js';
import { buildKey, buildOf, byNodes, type FleetAnswer, type KernelBuild } from './fleet-answer.js';

/** AskOptions are the options of a question. */
export interface AskOptions {
  /** Aborting it ends the question, which then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The time for the whole, in milliseconds. After it the answer is what is known by then, and nodes without an answer are
   * `late`. Default: none.
   */
  readonly deadline?: number | undefined;
  /**
   * Is called once for each node, as soon as it is known whether the node responds. It must not throw. Default: nothing.
   */
  readonly onNode?: ((node: SurveyedNode) => void) | undefined;
}

/** AskedNode is a node that is asked for its build. */
export interface AskedNode {
  /** A client of its daemon, until the function returns. */
  readonly client: BtfClient;
  readonly build: KernelBuild;
  /** The name of the node. */
  readonly node: string;
  /** Aborts at the deadline, and when the question is aborted. */
  readonly signal: AbortSignal;
}

/** Dependencies are what an answer depends on, except the BTF of vmlinux. */
export interface Dependencies {
  /** Whether it depends on the release of the kernel. Default: false. */
  readonly release?: boolean | undefined;
  /** The modules that it depends on, or `all`. Default: none. */
  readonly modules?: 'all' | readonly string[] | undefined;
}

/** Question is what a fleet is asked. */
export interface Question<T> {
  /** Asks a node. Every error that is not a BtfError ends the question. */
  readonly ask: (node: AskedNode) => Promise<T>;
  /** Returns what an answer depends on. Default: nothing, so that one node responds for all with its vmlinux. */
  readonly dependsOn?: ((value: T) => Dependencies) | undefined;
  /** The dependencies of an error that all nodes of a build would give. Default: none. */
  readonly errorDependsOn?: Dependencies | undefined;
}

/** The reasons that are those of a build or of the question: another node of the build would say the same. */
const OF_THE_BUILD: ReadonlySet<unknown> = new Set([
  'INVALID_REQUEST',
  'NAME_NOT_FOUND',
  'NO_MATCH',
  'KERNEL_WITHOUT_BTF',
  'OBJECT_UNREADABLE',
  'OBJECT_WITHOUT_BTF',
  'WORK_TOO_LARGE',
  'BTF_UNDECODABLE',
]);

/** An answer with what it depends on. */
type Depending<T> = Given<T> & {
  readonly release: string | null;
  /** `modulesDigest` if it depends on all modules. */
  readonly modulesDigest: string | null;
  /** The digests of the modules that it depends on, by name. A module that is not loaded has none. */
  readonly modules: ReadonlyMap<string, string> | null;
  readonly names: readonly string[];
};

/**
 * askBuilds asks one node of each build, as soon as the survey knows it.
 *
 * @param surveyOf returns the survey. Default: a new one.
 * @throws BtfError INVALID_RESPONSE, or what the source throws, if the nodes cannot be listed.
 * @throws the reason of the signal if it aborts, and what `ask` throws if that is not a BtfError.
 */
export async function askBuilds<T>(
  context: SurveyContext,
  question: Question<T>,
  { signal, deadline = Infinity, onNode }: AskOptions,
  surveyOf: (listener: SurveyListener) => SurveyRun = (listener) => new Survey(context, listener),
): Promise<FleetAnswer<T>> {
  signal?.throwIfAborted();
  using bounded = new Bounded([signal], deadline);
  const asking = new BuildQuestion(context, question, bounded.signal);
  const nodes = new Map<string, NodeOutcome>();
  const groups = new Map<string, BuildGroup<T, Depending<T>>>();
  const work = new Set<Promise<void>>();
  const survey = surveyOf((surveyed, known) => {
    nodes.set(surveyed.name, surveyed.outcome);
    onNode?.(surveyed);
    if (known === null) return;
    const key = buildKey(known);
    const group = groups.get(key) ?? asking.group();
    groups.set(key, group);
    // Awaited below. Its error ends the survey too.
    const adding = group.add(known);
    work.add(adding);
    adding.catch((error: unknown) => bounded.abort(error));
  });
  let isLate = false;
  try {
    await survey.run(bounded.signal);
    for (const group of groups.values()) {
      const ending = group.end();
      work.add(ending);
      ending.catch((error: unknown) => bounded.abort(error));
    }
    await Promise.all(work);
  } catch (error) {
    if (!bounded.timedOut) throw error;
    isLate = true;
    survey.endLate();
  } finally {
    await Promise.allSettled(work);
  }
  const late = lateFailure();
  for (const group of groups.values())
    for (const [name, outcome] of group.outcomes(late)) nodes.set(name, outcome);
  const builds = [...groups.values()].flatMap((group) => group.results(late)).toSorted(byNodes);
  const complete = !isLate && [...nodes.values()].every(isAnswer);
  return { builds, nodes, complete };
}

/** BuildQuestion asks nodes one question, and compares the dependencies of what they return. */
class BuildQuestion<T> {
  readonly #context: SurveyContext;
  readonly #question: Question<T>;
  readonly #signal: AbortSignal;

  constructor(context: SurveyContext, question: Question<T>, signal: AbortSignal) {
    this.#context = context;
    this.#question = question;
    this.#signal = signal;
  }

  group(): BuildGroup<T, Depending<T>> {
    return new BuildGroup(
      async (node) => this.#ask(node),
      async (given, node) => this.#applies(given, node),
    );
  }

  async #ask(node: KnownNode): Promise<Depending<T> | NodeFailure> {
    return this.#withClient(node, async (client) => {
      const build = buildOf([node]);
      const { ask, dependsOn, errorDependsOn = {} } = this.#question;
      try {
        // The client is closed then, so that a function that ignores the signal fails.
        const asked = ask({ client, build, node: node.name, signal: this.#signal });
        const value = await orAborted(asked, this.#signal);
        return await this.#depending(client, node, { value, error: null }, dependsOn?.(value) ?? {});
      } catch (thrown) {
        this.#signal.throwIfAborted();
        const error = thrown instanceof BtfReadError ? undecodable(thrown) : thrown;
        if (!BtfError.isBtfError(error) || !OF_THE_BUILD.has(error.reason)) throw error;
        return this.#depending(client, node, { value: null, error }, errorDependsOn);
      }
    });
  }

  async #depending(
    client: BtfClient,
    { info: { build } }: KnownNode,
    given: Given<T>,
    { release = false, modules = [] }: Dependencies,
  ): Promise<Depending<T>> {
    const names = modules === 'all' ? [] : modules;
    return {
      ...given,
      release: release ? build.release : null,
      modulesDigest: modules === 'all' ? build.modulesDigest : null,
      modules: names.length === 0 ? null : await this.#moduleDigests(client, names),
      names,
    };
  }

  /** Reports whether an answer is also that of a node with other modules or another release. */
  async #applies(
    { release, modulesDigest, modules, names }: Depending<T>,
    node: KnownNode,
  ): Promise<boolean> {
    const { build } = node.info;
    if (release !== null && release !== build.release) return false;
    if (modulesDigest !== null && modulesDigest !== build.modulesDigest) return false;
    if (modules === null) return true;
    const own = await this.#withClient(node, async (client) => this.#moduleDigests(client, names));
    // A node that does not say so is asked the question itself.
    return own instanceof Map && names.every((name) => own.get(name) === modules.get(name));
  }

  async #moduleDigests(client: BtfClient, names: readonly string[]): Promise<Map<string, string>> {
    const { timeout } = this.#context;
    return objectDigests(client, ['module'], names, { timeout, signal: this.#signal });
  }

  /** Returns a failure for a BtfError. */
  async #withClient<R>(node: KnownNode, work: (client: BtfClient) => Promise<R>): Promise<R | NodeFailure> {
    const { pace, clients, memory } = this.#context;
    const place = await pace.take(true, this.#signal);
    try {
      await using client = clients.open(node.node);
      if (node.isFromMemory) await this.#checkBoot(client, node);
      return await work(client);
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!BtfError.isBtfError(error)) throw error;
      memory.forget(node.node.address);
      return failureOf(error);
    } finally {
      place[Symbol.dispose]();
    }
  }

  /** @throws BtfError if the node was booted after it was surveyed: its kernel may be another. */
  async #checkBoot(client: BtfClient, { info, node }: KnownNode): Promise<void> {
    const { connectTimeout, timeout } = this.#context;
    const limits = { address: node.address, connectTimeout, timeout, signal: this.#signal };
    await reachNode(node.address, connectTimeout, this.#signal);
    const { bootId } = await serverInfoOf(client, [], limits);
    if (bootId === info.bootId) return;
    const message = `${node.address} was booted after it was surveyed: ask again`;
    throw new BtfError({ code: status.UNAVAILABLE, reason: null, message });
  }
}

/** The BTF of a node is that of a stranger: if it is damaged, the other builds are asked all the same. */
function undecodable(cause: BtfReadError): BtfError {
  const { message } = cause;
  return new BtfError({ code: status.DATA_LOSS, reason: 'BTF_UNDECODABLE', message, cause });
}
