import { isIPv4, isIPv6 } from 'node:net';
import { oneLine } from '../base/one-line.js';
import { badNode, isNodeName } from '../source/check-nodes.js';
import type { FleetNode } from '../source/node-source.js';

/** The label of a zone in Kubernetes, by which people select nodes there. */
const ZONE_LABEL = 'topology.kubernetes.io/zone';
const MAX_PORT = 65_535;
/** Names of ports in a message. */
const MAX_NAMED = 5;

/** The types of addresses that a slice can have. Names (FQDN) and types of later releases are skipped. */
const ADDRESS_TEXTS: ReadonlyMap<string, (address: string) => string | null> = new Map([
  ['IPv4', (address) => (isIPv4(address) ? address : null)],
  // Without a zone (fe80::1%eth0), which means nothing on another machine.
  ['IPv6', (address) => (isIPv6(address) && !address.includes('%') ? `[${address}]` : null)],
]);

/** SliceError is the error for a part of a slice that is not of the API's schema. */
class SliceError extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/** PortOfSlice is what the endpoints of a slice have in common: the number of their port, or why they have none. */
type PortOfSlice = { readonly number: number } | { readonly problem: string };

/**
 * nodesOfSlice returns the endpoints of an EndpointSlice as nodes of a fleet. A node has the name of the cluster's node,
 * otherwise the name of the endpoint's target. It is ready unless the endpoint is not, or is terminating.
 *
 * An endpoint that does not have the fields and types of the API is a node with a `problem`, and so is such a slice as a
 * whole. If the slice has no TCP port of that name, its nodes have a `problem`. So the other nodes can be asked.
 */
export function nodesOfSlice(slice: unknown, portName: string): FleetNode[] {
  try {
    const fields = aRecord(slice, 'it');
    const { addressType } = fields;
    if (typeof addressType !== 'string') throw new SliceError('its type of addresses is not a text');
    const textOf = ADDRESS_TEXTS.get(addressType);
    const endpoints = aList(fields['endpoints'], 'endpoints');
    // A Service without pods has a slice without endpoints and ports.
    if (textOf === undefined || endpoints.length === 0) return [];
    const port = portOf(fields, portName);
    return endpoints.map((each, index) => {
      try {
        return nodeOf(aRecord(each, 'it'), textOf, port);
      } catch (error) {
        return badEndpoint(each, `${labelOf(slice)}#${index}`, error);
      }
    });
  } catch (error) {
    if (!(error instanceof SliceError)) throw error;
    return [badNode(labelOf(slice), `bad EndpointSlice: ${error.message}`)];
  }
}

/** @throws SliceError for an endpoint that is not one of the API. */
function nodeOf(endpoint: Fields, textOf: (address: string) => string | null, port: PortOfSlice): FleetNode {
  const name = nameOf(endpoint);
  const [first] = aList(endpoint['addresses'], 'addresses');
  const host = typeof first === 'string' ? textOf(first) : null;
  if (host === null) throw new SliceError('its address is not one of the type of its slice');
  const conditions = aRecord(endpoint['conditions'] ?? {}, 'the value of its conditions');
  const zone = aText(endpoint['zone'] ?? '', 'its zone');
  // A missing condition means ready. A Service may publish a pod that ends as ready, although its daemon refuses calls.
  const ready = conditions['ready'] !== false && conditions['terminating'] !== true;
  return {
    ...(name === '' ? {} : { name }),
    address: 'number' in port ? `${host}:${port.number}` : '',
    ...(zone === '' ? {} : { labels: { [ZONE_LABEL]: zone } }),
    ...(ready ? {} : { ready }),
    ...('problem' in port ? { problem: port.problem } : {}),
  };
}

/** Returns the node of an endpoint that cannot be used. @param place where it is, for a message. */
function badEndpoint(endpoint: unknown, place: string, error: unknown): FleetNode {
  if (!(error instanceof SliceError)) throw error;
  return badNode(nameIfAny(endpoint) ?? place, `bad endpoint ${place}: ${error.message}`);
}

/** @throws SliceError for a name that is not one. */
function nameOf({ nodeName, targetRef }: Fields): string {
  const target = aRecord(targetRef ?? {}, 'its target');
  return aText(nodeName ?? target['name'] ?? '', 'the name of its node');
}

/** Returns the name of an endpoint of which other parts are wrong, or null. */
function nameIfAny(endpoint: unknown): string | null {
  if (!isRecord(endpoint)) return null;
  const { nodeName, targetRef } = endpoint;
  const names = [nodeName, isRecord(targetRef) ? targetRef['name'] : null];
  return names.find((name) => isNodeName(name)) ?? null;
}

/** Returns the name of a slice for messages. One without a name is identified by its content. */
function labelOf(slice: unknown): string {
  const metadata = isRecord(slice) && isRecord(slice['metadata']) ? slice['metadata'] : {};
  const { name } = metadata;
  return `EndpointSlice/${isNodeName(name) ? name : JSON.stringify(slice)}`;
}

/** @throws SliceError for ports that are not those of the API. */
function portOf(fields: Fields, wanted: string): PortOfSlice {
  const ports = aList(fields['ports'], 'ports').map((each) => aRecord(each, 'a port'));
  const overTcp = ports.filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
  const found = overTcp.find(({ name }) => (name ?? '') === wanted);
  return found === undefined ? { problem: withoutPort(overTcp, wanted) } : { number: numberOf(found) };
}

/** The same for all such slices, so that equal failures are shown once. */
function withoutPort(ports: readonly Fields[], wanted: string): string {
  const names = ports.flatMap(({ name }) => (isNodeName(name) ? [`"${name}"`] : [])).slice(0, MAX_NAMED);
  return oneLine(
    `its EndpointSlice has no TCP port named "${wanted}", it has ${names.join(', ') || 'no named ports'}: name the port of the Service so`,
  );
}

function numberOf({ port }: Fields): number {
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= MAX_PORT) return port;
  throw new SliceError('its port has no number');
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
  throw new SliceError(`its ${what} are not a list`);
}

function aText(value: unknown, what: string): string {
  if (value === '' || isNodeName(value)) return value;
  throw new SliceError(`${what} is not a printable name of at most 253 characters`);
}
