import { invalidArgument } from '../base/argument.js';
import { MAX_NODES, problemOf } from './check-nodes.js';
import type { FleetNode, NodeSource } from './node-source.js';

/**
 * staticNodes returns a source of nodes that are known. A string is the address of a node without a name of its own.
 *
 * ```ts
 * staticNodes([{ name: 'web1', address: '10.0.0.1:7443' }, '10.0.0.2:7443']);
 * ```
 *
 * @throws BtfError INVALID_REQUEST for a name, address or label that is too long or not printable, for two nodes with
 * one name, and for more than 10,000 nodes.
 */
export function staticNodes(nodes: readonly (FleetNode | string)[]): NodeSource {
  if (nodes.length > MAX_NODES)
    throw invalidArgument('nodes', `must be at most ${MAX_NODES}, not ${nodes.length}`);
  const names = new Set<string>();
  const listed = nodes.map((node) => (typeof node === 'string' ? { address: node } : { ...node }));
  for (const [index, node] of listed.entries()) {
    const problem = problemOf(node);
    if (problem !== null) throw invalidArgument(`nodes[${index}]`, problem);
    if (node.name === undefined) continue;
    if (names.has(node.name)) throw invalidArgument(`nodes[${index}].name`, `"${node.name}" is there twice`);
    names.add(node.name);
  }
  return { description: `a list of ${listed.length} nodes`, list: async () => listed };
}
