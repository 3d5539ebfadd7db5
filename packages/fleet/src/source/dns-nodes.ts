import type { SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { BtfError, status } from '@btfd/client';
import { invalidArgument, onlyKnown } from '../base/argument.js';
import { badNode, isNodeName, MAX_NODES } from './check-nodes.js';
import type { FleetNode, ListOptions, NodeSource } from './node-source.js';

/** DnsNodesOptions are the options of {@link dnsNodes}. */
export interface DnsNodesOptions {
  /**
   * Whether the name has SRV records, whose targets and ports are the nodes; then the target is the name alone. Default:
   * false, for A and AAAA records.
   */
  readonly srv?: boolean | undefined;
  /** The DNS servers to ask, as `IP` or `IP:PORT`. Default: those of the machine. */
  readonly servers?: readonly string[] | undefined;
}

/** A DNS server in the same network responds within milliseconds. The second try is for a lost datagram. */
const TIMEOUT_MS = 3_000;
const TRIES = 2;
/** Targets of SRV records that are looked up at one time. */
const LOOKUPS = 32;
/** The time in which the look-ups of targets begin. Without it, 10,000 names of a dead server would take half an hour. */
const LOOKUPS_MS = 60_000;
/** The errors that say that a name has no such records. */
const NO_RECORDS = new Set(['ENODATA', 'ENOTFOUND']);

/** A name of DNS in full, without wildcards. */
const NAME = /^(?=.{1,253}$)(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?$/;
const MAX_PORT = 65_535;

/**
 * dnsNodes returns a source of the nodes of a DNS name, such as a headless Service of Kubernetes. It needs no rights
 * and no library there. Each A and AAAA record is a node; the daemons say their names. Search domains of the machine do not
 * apply, so the name must be complete.
 *
 * ```ts
 * dnsNodes('btfd.btfd.svc.cluster.local:7443');
 * dnsNodes('_grpc._tcp.btfd.btfd.svc.cluster.local', { srv: true });
 * ```
 *
 * Targets of SRV records that are not host names, have no address or cannot be looked up have a `problem`.
 *
 * Listing rejects with a BtfError whose code is NOT_FOUND if the name has no records, and UNAVAILABLE if no DNS server
 * responds.
 *
 * @param target `NAME:PORT`, or with `srv` a name.
 * @throws BtfError INVALID_REQUEST for a target or an option that cannot be used.
 */
export function dnsNodes(target: string, options: DnsNodesOptions = {}): NodeSource {
  onlyKnown(options, ['srv', 'servers']);
  const { srv = false, servers } = options;
  const { name, port } = srv ? { name: target, port: 0 } : hostAndPort(target);
  if (!NAME.test(name)) {
    throw invalidArgument('target', `must be ${srv ? 'a name of DNS' : 'NAME:PORT'}, not ${shown(target)}`);
  }
  // Checks the servers now.
  resolverOf(servers);
  return {
    description: `DNS name ${name}`,
    list: async ({ signal }: ListOptions = {}) => {
      signal?.throwIfAborted();
      const resolver = resolverOf(servers);
      const cancel = (): void => resolver.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        return srv ? await serviceNodes(resolver, name) : await addressNodes(resolver, name, port);
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener('abort', cancel);
        cancel();
      }
    },
  };
}

function hostAndPort(target: string): { readonly name: string; readonly port: number } {
  const [, name = '', digits = ''] = /^([^:]+):(\d{1,5})$/.exec(target) ?? [];
  const port = Number(digits);
  if (port < 1 || port > MAX_PORT) throw invalidArgument('target', `must be NAME:PORT, not ${shown(target)}`);
  return { name, port };
}

function resolverOf(servers: readonly string[] | undefined): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  try {
    if (servers !== undefined) resolver.setServers(servers);
  } catch (error) {
    throw invalidArgument('servers', `must be IP or IP:PORT: ${String(error)}`);
  }
  return resolver;
}

async function addressNodes(resolver: Resolver, name: string, port: number): Promise<FleetNode[]> {
  const addresses = await addressesOf(resolver, name);
  if (addresses.length === 0) throw noRecords(name, 'addresses');
  return addresses.map((address) => ({ address: addressText(address, port) }));
}

type Target = Pick<SrvRecord, 'name' | 'port'>;

/** A target has one node, whatever its number of addresses. A target that cannot be used hides no other one. */
async function serviceNodes(resolver: Resolver, name: string): Promise<FleetNode[]> {
  const records = await found(name, resolver.resolveSrv(name));
  // RFC 2782: the root as the target says that there is no such service.
  const targets = records.filter((record) => record.name !== '');
  if (targets.length === 0) throw noRecords(name, 'SRV records');
  // The fleet refuses them. They need no addresses for that.
  if (targets.length > MAX_NODES)
    return targets.map(({ name: host, port }) => ({ address: `${host}:${port}` }));
  const hosts = new Set<string>();
  const nodes: FleetNode[] = [];
  const end = performance.now() + LOOKUPS_MS;
  const lookUp = async (left: IterableIterator<Target>): Promise<void> => {
    for (const target of left) {
      const isOther = hosts.has(target.name);
      hosts.add(target.name);
      const nodeName = isOther ? `${target.name}:${target.port}` : target.name;
      nodes.push(await nodeOf(resolver, target, nodeName, end));
    }
  };
  const left = targets.values();
  await Promise.all(Array.from({ length: LOOKUPS }, async () => lookUp(left)));
  return nodes;
}

/** @param end the time after which no look-up begins. */
async function nodeOf(
  resolver: Resolver,
  { name: host, port }: Target,
  name: string,
  end: number,
): Promise<FleetNode> {
  // `unix:/run/btfd/btfd.sock` would be a daemon of the machine that asks. Not every release of c-ares refuses it.
  if (!NAME.test(host)) return badNode(name, 'the target of its SRV record is not a host name');
  if (port === 0) return badNode(name, 'its SRV record has the port 0');
  if (performance.now() > end) return badNode(name, `not looked up within ${LOOKUPS_MS} ms`);
  try {
    const address = await addressOf(resolver, host);
    return { ...(isNodeName(name) ? { name } : {}), address: addressText(address, port) };
  } catch (error) {
    if (!BtfError.isBtfError(error)) throw error;
    return badNode(name, error.rawMessage);
  }
}

/** Returns the IPv4 addresses of a name, then the IPv6 addresses. */
async function addressesOf(resolver: Resolver, name: string): Promise<string[]> {
  return (await Promise.all(lookUps(resolver, name))).flat();
}

/** Returns the first address of a name. One family is enough. @throws BtfError if there is none. */
async function addressOf(resolver: Resolver, name: string): Promise<string> {
  const both = await Promise.allSettled(lookUps(resolver, name));
  const [address] = both.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  if (address !== undefined) return address;
  for (const each of both) if (each.status === 'rejected') throw each.reason;
  throw noRecords(name, 'addresses');
}

function lookUps(resolver: Resolver, name: string): readonly Promise<string[]>[] {
  return [found(name, resolver.resolve4(name)), found(name, resolver.resolve6(name))];
}

/** Returns the records, or none if the name has none of their type. */
async function found<T>(name: string, records: Promise<T[]>): Promise<T[]> {
  try {
    return await records;
  } catch (error) {
    const code = String(Object(error).code);
    if (NO_RECORDS.has(code)) return [];
    throw new BtfError({
      code: status.UNAVAILABLE,
      reason: null,
      message: `cannot look up ${name}: ${code}`,
      cause: error,
    });
  }
}

function noRecords(name: string, what: string): BtfError {
  return new BtfError({ code: status.NOT_FOUND, reason: null, message: `${name} has no ${what} in DNS` });
}

function addressText(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
