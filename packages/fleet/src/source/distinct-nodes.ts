import { shownName } from './check-nodes.js';
import type { FleetNode } from './node-source.js';

/** DistinctNodes are the nodes of a listing, without those that are there twice. */
export interface DistinctNodes {
  readonly nodes: readonly FleetNode[];
  /** The names that lead to the address of another node, and the name or address of that node. */
  readonly duplicates: ReadonlyMap<string, string>;
}

/** The key of a node's spare name. A symbol, so that no source can list a node with one. */
const SPARE_NAME = Symbol('spare name');

/**
 * ownName returns the name of a node in results if its daemon says none: that of the source, otherwise its address, or a name made
 * of the address if that is the name of another node.
 */
export function ownName(node: FleetNode & { readonly [SPARE_NAME]?: string }): string {
  return node.name ?? node[SPARE_NAME] ?? node.address;
}

/**
 * distinctNames drops all but one of the nodes with one name, and keeps the first that is ready: an old and a new pod of
 * one node, or its IPv4 and IPv6 address. A node with a `problem` is not ready. Nodes without a name stay.
 */
export function distinctNames(listed: readonly FleetNode[]): FleetNode[] {
  const byName = new Map<string, FleetNode>();
  for (const node of listed) {
    if (node.name === undefined) continue;
    const known = byName.get(node.name);
    if (known === undefined || (!isReady(known) && isReady(node))) byName.set(node.name, node);
  }
  return listed.filter((node) => node.name === undefined || byName.get(node.name) === node);
}

/**
 * distinctNodes drops nodes that are listed twice. Of nodes with one name, and of nodes with one address, it keeps the first
 * that is ready. A node with a `problem` has no address.
 */
export function distinctNodes(listed: readonly FleetNode[]): DistinctNodes {
  const named = withSpareNames(distinctNames(listed));
  const byAddress = new Map<string | FleetNode, FleetNode>();
  for (const node of named) {
    const key = keyOf(node);
    const known = byAddress.get(key);
    if (known === undefined || (!isReady(known) && isReady(node))) byAddress.set(key, node);
  }
  const duplicates = new Map<string, string>();
  for (const node of named) {
    const kept = byAddress.get(keyOf(node)) ?? node;
    if (kept !== node && node.name !== undefined) duplicates.set(node.name, ownName(kept));
  }
  return { nodes: [...byAddress.values()], duplicates };
}

/** Gives a node without a name a spare one if its address is the name of a node with another address. */
function withSpareNames(listed: readonly FleetNode[]): readonly FleetNode[] {
  const byName = new Map(listed.map((node) => [node.name, node]));
  return listed.map((node) => {
    const other = node.name === undefined ? byName.get(node.address) : undefined;
    const isTaken = other !== undefined && keyOf(other) !== keyOf(node);
    return isTaken ? { ...node, [SPARE_NAME]: shownName(node.address) } : node;
  });
}

function isReady({ ready, problem }: FleetNode): boolean {
  return ready !== false && problem === undefined;
}

/** Names of hosts have no case, paths of sockets do. */
function keyOf(node: FleetNode): string | FleetNode {
  if (node.problem !== undefined) return node;
  return node.address.startsWith('unix:') ? node.address : node.address.toLowerCase();
}
