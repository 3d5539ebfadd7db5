import { shownName } from './check-nodes.js';
import type { FleetNode } from './node-source.js';

/** DistinctNodes are the nodes of a listing, without those that are there twice. */
export interface DistinctNodes {
  readonly nodes: readonly FleetNode[];
  /** The names that lead to the address of another node, and the name or address of that node. */
  readonly duplicates: ReadonlyMap<string, string>;
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
  const named = withFreeNames(distinctNames(listed));
  const byAddress = new Map<string | FleetNode, FleetNode>();
  for (const node of named) {
    const key = keyOf(node);
    const known = byAddress.get(key);
    if (known === undefined || (!isReady(known) && isReady(node))) byAddress.set(key, node);
  }
  const duplicates = new Map<string, string>();
  for (const node of named) {
    const kept = byAddress.get(keyOf(node)) ?? node;
    if (kept !== node && node.name !== undefined) duplicates.set(node.name, kept.name ?? kept.address);
  }
  return { nodes: [...byAddress.values()], duplicates };
}

/** Gives a node without a name one if its address, by which results name it, is the name of a node with another address. */
function withFreeNames(listed: readonly FleetNode[]): readonly FleetNode[] {
  const byName = new Map(listed.map((node) => [node.name, node]));
  return listed.map((node) => {
    const other = node.name === undefined ? byName.get(node.address) : undefined;
    const isTaken = other !== undefined && keyOf(other) !== keyOf(node);
    return isTaken ? { ...node, name: shownName(node.address) } : node;
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
