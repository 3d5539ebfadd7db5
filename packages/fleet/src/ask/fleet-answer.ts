import type { BtfError } from '@btfd/client';
import type { NodeBuild } from '../survey/ask-node.js';
import type { KnownNode } from '../survey/known-node.js';
import type { NodeOutcome } from '../survey/node-outcome.js';

/** KernelBuild is the build of the kernel of some nodes. */
export interface KernelBuild {
  /** The SHA-256 of the BTF of vmlinux in hexadecimal; null if the kernels have no BTF. */
  readonly digest: string | null;
  /** The SHA-256 over the modules, in hexadecimal; null if the nodes have different modules. */
  readonly modulesDigest: string | null;
  /** The number of modules with BTF; null if the nodes have different numbers. */
  readonly moduleCount: number | null;
  /** The releases of the kernels, sorted. Equal BTF can come with several releases. */
  readonly releases: readonly string[];
  /** The architecture, as `uname -m`. */
  readonly machine: string;
}

/** BuildAnswer is the answer for one build, and the nodes that it is for. */
export interface BuildAnswer<T> {
  readonly build: KernelBuild;
  /** The names of the nodes, sorted. */
  readonly nodes: readonly string[];
  /** The answer; null with an error. */
  readonly value: T | null;
  /** Why there is no answer; null with a value. */
  readonly error: BtfError | null;
}

/** FleetAnswer is the answer of a fleet to one question. */
export interface FleetAnswer<T> {
  /** One result for each distinct answer, that for the most nodes first. A build can be there several times. */
  readonly builds: readonly BuildAnswer<T>[];
  /** The outcome of each node, by name. */
  readonly nodes: ReadonlyMap<string, NodeOutcome>;
  /** Whether every node has an answer, its own or that of another node of its build. */
  readonly complete: boolean;
}

/** buildOf returns the build that nodes have in common. There is at least one. */
export function buildOf(nodes: readonly KnownNode[]): KernelBuild {
  const builds = nodes.map(({ info }) => info.build);
  const [first] = builds;
  if (first === undefined) throw new RangeError('a build needs a node');
  const common = <T>(of: (build: NodeBuild) => T): T | null =>
    builds.every((build) => of(build) === of(first)) ? of(first) : null;
  return {
    digest: first.digest,
    modulesDigest: common(({ modulesDigest }) => modulesDigest),
    moduleCount: common(({ moduleCount }) => moduleCount),
    releases: [...new Set(builds.map(({ release }) => release))].toSorted(),
    machine: first.machine,
  };
}

/** buildKey returns what nodes with the same kernel have in common. Kernels without BTF differ by their release. */
export function buildKey({ info: { build } }: KnownNode): string {
  return `${build.machine} ${build.digest ?? build.release}`;
}

/** byNodes compares by the number of nodes, the most first, then by the name of the first node. */
export function byNodes(
  a: { readonly nodes: readonly string[] },
  b: { readonly nodes: readonly string[] },
): number {
  return b.nodes.length - a.nodes.length || ((a.nodes[0] ?? '') < (b.nodes[0] ?? '') ? -1 : 1);
}
