import type { BtfError } from '@btfd/client';
import type { KnownNode } from '../survey/known-node.js';
import type { NodeFailure, NodeOutcome } from '../survey/node-outcome.js';
import { type BuildAnswer, buildOf } from './fleet-answer.js';

/** How many nodes of a build are asked before it counts as failed. */
const MAX_TRIES = 3;

/** Given is an answer that a node gave for its build: a value, or an error that all nodes of the build would give. */
export type Given<T> =
  { readonly value: T; readonly error: null } | { readonly value: null; readonly error: BtfError };

/** AskOne asks a node. It returns a failure if another node of the build may answer. */
export type AskOne<T, A extends Given<T>> = (node: KnownNode) => Promise<A | NodeFailure>;

/** Applies reports whether an answer of one node is also that of another, whose modules or release differ. */
export type Applies<A> = (answer: A, node: KnownNode) => Promise<boolean>;

/** Part is the nodes of a build that have the same modules and release. */
interface Part<A> {
  readonly nodes: KnownNode[];
  /** How many of them were asked. */
  tried: number;
  answer: { readonly given: A; readonly from: KnownNode } | null;
  /** The last failure, once no more nodes are asked. */
  failure: NodeFailure | null;
}

/**
 * BuildGroup asks the nodes of one build. The first node is asked immediately, during the survey. Nodes with other
 * modules or another release share its answer if it applies to them, and are asked otherwise, one for each distinct answer.
 */
export class BuildGroup<T, A extends Given<T>> {
  readonly #ask: AskOne<T, A>;
  readonly #applies: Applies<A>;
  readonly #parts = new Map<string, Part<A>>();
  readonly #failures = new Map<KnownNode, NodeFailure>();
  /** Each distinct answer once. Many parts may share one. */
  readonly #answers: NonNullable<Part<A>['answer']>[] = [];
  #working: Promise<void> | null = null;
  #isBusy = false;
  #isEnded = false;

  constructor(ask: AskOne<T, A>, applies: Applies<A>) {
    this.#ask = ask;
    this.#applies = applies;
  }

  /** add adds a node. @returns the work that it causes, which rejects if `ask` does. */
  add(node: KnownNode): Promise<void> {
    const { modulesDigest, release } = node.info.build;
    const key = `${modulesDigest} ${release}`;
    const part = this.#parts.get(key) ?? { nodes: [], tried: 0, answer: null, failure: null };
    this.#parts.set(key, part);
    part.nodes.push(node);
    return this.#work();
  }

  /** end says that there are no more nodes. @returns the rest of the work. */
  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#work();
  }

  /** results returns one result for each distinct answer. */
  results(late: NodeFailure): BuildAnswer<T>[] {
    const byAnswer = new Map<A | Part<A>, { readonly parts: Part<A>[] }>();
    for (const part of this.#parts.values()) {
      const key = part.answer?.given ?? part;
      const same = byAnswer.get(key) ?? { parts: [] };
      byAnswer.set(key, same);
      same.parts.push(part);
    }
    return [...byAnswer.values()].map(({ parts }) => {
      const nodes = parts.flatMap((part) => part.nodes);
      const given = parts[0]?.answer?.given;
      return {
        build: buildOf(nodes),
        nodes: nodes.map(({ name }) => name).toSorted(),
        value: given?.value ?? null,
        error: given === undefined ? (parts[0]?.failure ?? late).error : given.error,
      };
    });
  }

  /** outcomes returns what became of each node. */
  *outcomes(late: NodeFailure): Generator<[name: string, outcome: NodeOutcome], void, void> {
    for (const { nodes, answer, failure } of this.#parts.values()) {
      for (const node of nodes) {
        const own = this.#failures.get(node);
        if (own !== undefined) yield [node.name, own];
        else if (answer === null) yield [node.name, failure === null ? late : { ...failure, kind: 'failed' }];
        else if (answer.from === node) yield [node.name, { kind: 'answered' }];
        else yield [node.name, { kind: 'inferred', from: answer.from.name }];
      }
    }
  }

  /** Joins the work in progress, or begins it. */
  #work(): Promise<void> {
    if (!this.#isBusy || this.#working === null) {
      this.#isBusy = true;
      this.#working = this.#settleAll();
    }
    return this.#working;
  }

  async #settleAll(): Promise<void> {
    for (let part = this.#next(); part !== undefined; part = this.#next()) await this.#settle(part);
    // In the same turn in which nothing was left to do, so that no node that comes later is missed.
    this.#isBusy = false;
  }

  /** Returns a part that can be settled, or whose next node can be asked. */
  #next(): Part<A> | undefined {
    return [...this.#parts.values()].find(
      ({ nodes, tried, answer, failure }) =>
        answer === null && failure === null && (tried < nodes.length || this.#isEnded),
    );
  }

  async #settle(part: Part<A>): Promise<void> {
    const node = part.nodes[part.tried];
    if (node === undefined) {
      part.failure = this.#lastFailure(part);
      return;
    }
    if (part.tried === 0) part.answer = await this.#answerFor(node);
    if (part.answer !== null) return;
    part.tried += 1;
    const given = await this.#ask(node);
    if ('kind' in given) {
      this.#failures.set(node, given);
      if (part.tried === MAX_TRIES) part.failure = given;
    } else {
      part.answer = { given, from: node };
      this.#answers.push(part.answer);
    }
  }

  /** Returns an answer of another part that applies to a node. */
  async #answerFor(node: KnownNode): Promise<Part<A>['answer']> {
    for (const answer of this.#answers) if (await this.#applies(answer.given, node)) return answer;
    return null;
  }

  #lastFailure({ nodes }: Part<A>): NodeFailure | null {
    const failures = nodes.flatMap((node) => this.#failures.get(node) ?? []);
    return failures.at(-1) ?? null;
  }
}
