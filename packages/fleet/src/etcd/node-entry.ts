import { badNode, isNodeName, isRecordOfTexts, problemOf } from '../source/check-nodes.js';
import type { FleetNode } from '../source/node-source.js';

/** A node's address and its labels at their limits have less than 48 KiB. */
const MAX_VALUE = 64 * 1024;
const MAX_PORT = 65_535;
/** A host name, an IPv4 address or an IPv6 address in brackets, and a port. */
const ADDRESS = /^(?:[\w.-]{1,253}|\[[\da-fA-F:.]{2,45}\]):(\d{1,5})$/;

/**
 * isRemoteAddress reports whether a text is `HOST:PORT`. Sockets of the machine are not: on the machine of the asker,
 * another daemon would be there.
 */
export function isRemoteAddress(text: unknown): text is string {
  const port = typeof text === 'string' ? Number(ADDRESS.exec(text)?.[1] ?? 0) : 0;
  return port >= 1 && port <= MAX_PORT;
}

/** nodeValue returns the value of a node in etcd. */
export function nodeValue(address: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify({ address, labels });
}

/**
 * nodeOf returns the node of an entry in etcd, which may be from a stranger. An entry that is not one of a node is a node
 * with a problem, so that it neither hides the other nodes nor is overlooked.
 *
 * @param tail the key without the prefix: the name of the node.
 */
export function nodeOf(tail: Uint8Array, value: Uint8Array): FleetNode {
  // Each byte is one character: a name of another encoding is not printable.
  const text = Buffer.from(tail).toString('latin1');
  const node = isNodeName(text) ? entryOf(text, value) : 'its key is not the name of a node';
  return typeof node === 'string' ? badNode(text, `bad entry in etcd: ${node}`) : node;
}

/** Returns the node, or what is wrong with its entry. */
function entryOf(name: string, value: Uint8Array): FleetNode | string {
  if (value.length > MAX_VALUE) return `its value has more than ${MAX_VALUE} bytes`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return 'its value is not JSON';
  }
  if (typeof parsed !== 'object' || parsed === null) return 'its value is not a JSON object';
  // The name of the certificate comes from the asker alone, so `serverName` is not read.
  const address = 'address' in parsed ? parsed.address : undefined;
  if (!isRemoteAddress(address)) return 'its address is not HOST:PORT';
  const labels = 'labels' in parsed ? parsed.labels : {};
  if (!isRecordOfTexts(labels)) return 'its labels are not an object with texts';
  const node = { name, address, labels };
  return problemOf(node) ?? node;
}
