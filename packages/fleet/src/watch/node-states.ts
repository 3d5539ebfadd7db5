import { ownName } from '../source/distinct-nodes.js';
import type { FleetNode } from '../source/node-source.js';
import type { NodeBuild } from '../survey/ask-node.js';
import type { SurveyedNode } from '../survey/survey.js';
import type { FleetChange, NodeState } from './fleet-change.js';

interface Watched extends NodeState {
  readonly name: string;
  readonly node: FleetNode;
}

/** NodeStates are the nodes of a watch. Each result of a survey is compared with the last one of its node. */
export class NodeStates {
  /** By what {@link ownName} returns, which stays the same whatever the daemon says. */
  readonly #nodes = new Map<string, Watched>();
  /** The number of nodes of each build. */
  readonly #builds = new Map<string, number>();
  readonly #withModules: boolean;

  /** @param withModules whether other modules make another build. */
  constructor(withModules: boolean) {
    this.#withModules = withModules;
  }

  get nodeCount(): number {
    return this.#nodes.size;
  }

  get buildCount(): number {
    return this.#builds.size;
  }

  /** isKnown reports whether the source says of a node the same as before. */
  isKnown(node: FleetNode): boolean {
    const last = this.#nodes.get(ownName(node))?.node;
    return (
      last !== undefined &&
      last.address === node.address &&
      last.serverName === node.serverName &&
      last.problem === node.problem &&
      (last.ready ?? true) === (node.ready ?? true)
    );
  }

  /** update takes the result of a survey for a node. @returns the changes. */
  update(surveyed: SurveyedNode): FleetChange[] {
    const { node, outcome } = surveyed;
    const key = ownName(node);
    const last = this.#nodes.get(key);
    // A process that did not run knows nothing new.
    if (outcome.kind === 'starved' && last !== undefined) return [];
    // A daemon that does not respond does not say the name of its node.
    const name = 'error' in outcome ? (last?.name ?? surveyed.name) : surveyed.name;
    const now: Watched = { name, node, outcome, build: this.#buildOf(surveyed, last) };
    this.#nodes.set(key, now);
    const changes = this.#counted(name, last?.build ?? null, now.build);
    if (last === undefined) return [{ kind: 'node-appeared', ...now }, ...changes];
    if (newsOf(last) === newsOf(now) && this.#print(last.build) === this.#print(now.build)) return [];
    const before = { outcome: last.outcome, build: last.build };
    return [{ kind: 'node-changed', ...now, before }, ...changes];
  }

  /** Of two ways to one daemon, the one that is a duplicate has the build of the other. */
  #buildOf({ outcome, build }: SurveyedNode, last: Watched | undefined): NodeBuild | null {
    if ('error' in outcome) return last?.build ?? null;
    if (outcome.kind !== 'duplicate') return build;
    const same = [...this.#nodes.values()].find(({ name }) => name === outcome.of);
    return same?.build ?? null;
  }

  /** keepOnly drops the nodes that are not listed any more. @returns the changes. */
  keepOnly(listed: readonly FleetNode[]): FleetChange[] {
    const keys = new Set(listed.map(ownName));
    const changes: FleetChange[] = [];
    for (const [key, { name, build }] of this.#nodes) {
      if (keys.has(key)) continue;
      this.#nodes.delete(key);
      changes.push({ kind: 'node-left', name, build }, ...this.#counted(name, build, null));
    }
    return changes;
  }

  /** Counts the node of a build that was another one before. */
  #counted(name: string, before: NodeBuild | null, now: NodeBuild | null): FleetChange[] {
    const [from, to] = [this.#print(before), this.#print(now)];
    if (from === to) return [];
    const changes: FleetChange[] = [];
    if (now !== null) {
      const count = this.#builds.get(to) ?? 0;
      this.#builds.set(to, count + 1);
      if (count === 0) changes.push({ kind: 'build-appeared', build: now, name });
    }
    if (before !== null) {
      const count = this.#builds.get(from) ?? 0;
      if (count > 1) this.#builds.set(from, count - 1);
      else if (this.#builds.delete(from)) changes.push({ kind: 'build-left', build: before, name });
    }
    return changes;
  }

  /** Returns what makes a build. Equal BTF can come with several releases. */
  #print(build: NodeBuild | null): string {
    if (build === null) return '';
    const { digest, modulesDigest, release, version, machine } = build;
    return JSON.stringify([machine, digest, release, version, ...(this.#withModules ? [modulesDigest] : [])]);
  }
}

/** Two ways to one daemon: each may be the duplicate of the other, now this one and then that one. */
function newsOf({ outcome: { kind } }: NodeState): string {
  return kind === 'duplicate' ? 'answered' : kind;
}
