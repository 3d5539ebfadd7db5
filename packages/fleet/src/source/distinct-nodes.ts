import type { FleetNode } from './node-source.js';

/** DistinctNodes are the nodes of a listing, without those that are there twice. */
export interface DistinctNodes {
  readonly nodes: readonly FleetNode[];
  /** The names that lead to the address of another node, and the name or address of that node. */
  readonly duplicates: ReadonlyMap<string, string>;
}

/**
 * distinctNodes drops nodes that are listed twice. Of nodes with one name it keeps the first that is ready: an old and a
 * new pod of one node, or its IPv4 and IPv6 address. Of nodes with one address it also keeps the first
 * that is ready.
 */
export function distinctNodes(listed: readonly FleetNode[]): DistinctNodes {
  const byName = new Map<string, FleetNode>();
  for (const node of listed) {
    if (node.name === undefined) continue;
    const known = byName.get(node.name);
    if (known === undefined || (known.ready === false && node.ready !== false)) byName.set(node.name, node);
  }
  const byAddress = new Map<string, FleetNode>();
  for (const node of listed) {
    if (node.name !== undefined && byName.get(node.name) !== node) continue;
    const key = keyOf(node.address);
    const known = byAddress.get(key);
    if (known === undefined || (known.ready === false && node.ready !== false)) byAddress.set(key, node);
  }
  const duplicates = new Map<string, string>();
  for (const node of byName.values()) {
    const kept = byAddress.get(keyOf(node.address)) ?? node;
    if (kept !== node && node.name !== undefined) duplicates.set(node.name, kept.name ?? kept.address);
  }
  return { nodes: [...byAddress.values()], duplicates };
}

/** Names of hosts have no case, paths of sockets do. */
function keyOf(address: string): string {
  return address.startsWith('unix:') ? address : address.toLowerCase();
}
