import { isIPv4, isIPv6 } from 'node:net';
import { oneLine } from '../base/one-line.js';
import { isNodeName } from '../source/check-nodes.js';
import type { FleetNode } from '../source/node-source.js';

/** The label of a zone in Kubernetes, by which people select nodes there. */
const ZONE_LABEL = 'topology.kubernetes.io/zone';
const MAX_PORT = 65_535;
/** Names of ports in a message. */
const MAX_NAMED = 5;

/** The types of addresses that a slice can have. Names (FQDN) and types of later releases are skipped. */
const ADDRESS_TEXTS: Readonly<Record<string, (address: string) => string | null>> = {
  IPv4: (address) => (isIPv4(address) ? address : null),
  // Without a zone (fe80::1%eth0), which means nothing on another machine.
  IPv6: (address) => (isIPv6(address) && !address.includes('%') ? `[${address}]` : null),
};

/** SliceError is the error for a slice that is not of the API's schema. */
export class SliceError extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/**
 * nodesOfSlice returns the endpoints of an EndpointSlice as nodes of a fleet. A node has the name of the cluster's node,
 * otherwise the name of the endpoint's target. It is ready unless the endpoint is not, or is terminating. If the slice has
 * no TCP port of that name, its nodes have a `problem`, so that the nodes of other slices can be asked.
 *
 * @throws SliceError if the slice does not have the fields and types of the API.
 */
export function nodesOfSlice(slice: unknown, portName: string): FleetNode[] {
  const fields = aRecord(slice, 'an item');
  const name = aRecord(fields['metadata'], 'the metadata of an item')['name'];
  const what = `the EndpointSlice "${isNodeName(name) ? name : '?'}"`;
  const textOf = ADDRESS_TEXTS[String(fields['addressType'])];
  const endpoints = aList(fields['endpoints'], `endpoints of ${what}`);
  // A Service without pods has a slice without endpoints and ports.
  if (textOf === undefined || endpoints.length === 0) return [];
  const ports = aList(fields['ports'], `ports of ${what}`).map((each) => aRecord(each, `a port of ${what}`));
  const overTcp = ports.filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
  const port = overTcp.find((each) => (each['name'] ?? '') === portName);
  const number = port === undefined ? null : numberOf(port, what);
  return endpoints.map((each) => {
    const endpoint = aRecord(each, `an endpoint of ${what}`);
    const [first] = aList(endpoint['addresses'], `addresses of an endpoint of ${what}`);
    const host = typeof first === 'string' ? textOf(first) : null;
    if (host === null) throw new SliceError(`an endpoint of ${what} has a bad address`);
    const address = number === null ? '' : `${host}:${number}`;
    const problem = number === null ? withoutPort(overTcp, portName) : undefined;
    return nodeOf(endpoint, address, problem, what);
  });
}

function nodeOf(endpoint: Fields, address: string, problem: string | undefined, what: string): FleetNode {
  const { nodeName, targetRef, zone } = endpoint;
  const conditions = aRecord(endpoint['conditions'] ?? {}, `conditions of an endpoint of ${what}`);
  const target = aRecord(targetRef ?? {}, `the target of an endpoint of ${what}`);
  const name = aText(nodeName ?? target['name'] ?? '', `the node of an endpoint of ${what}`);
  const label = aText(zone ?? '', `the zone of an endpoint of ${what}`);
  // A missing condition means ready. A Service may publish a pod that ends as ready, although its daemon refuses calls.
  const ready = conditions['ready'] !== false && conditions['terminating'] !== true;
  return {
    ...(name === '' ? {} : { name }),
    address,
    ...(label === '' ? {} : { labels: { [ZONE_LABEL]: label } }),
    ...(ready ? {} : { ready }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** The same for all such slices, so that equal failures are shown once. */
function withoutPort(ports: readonly Fields[], wanted: string): string {
  const names = ports.flatMap(({ name }) => (isNodeName(name) ? [`"${name}"`] : [])).slice(0, MAX_NAMED);
  return oneLine(
    `its EndpointSlice has no TCP port named "${wanted}", it has ${names.join(', ') || 'no named ports'}: name the port of the Service so`,
  );
}

function numberOf({ port }: Fields, what: string): number {
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= MAX_PORT) return port;
  throw new SliceError(`the port of ${what} has no number`);
}

function aRecord(value: unknown, what: string): Fields {
  if (isRecord(value)) return value;
  throw new SliceError(`${what} is not an object`);
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go writes null for an empty list. */
function aList(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new SliceError(`the ${what} are not a list`);
}

function aText(value: unknown, what: string): string {
  if (value === '' || isNodeName(value)) return value;
  throw new SliceError(`${what} is not a printable name of at most 253 characters`);
}
