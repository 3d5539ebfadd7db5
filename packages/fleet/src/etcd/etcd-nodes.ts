import type { Etcd3 } from 'etcd3';
import { onlyKnown } from '../base/argument.js';
import { orAborted } from '../base/bounded.js';
import { MAX_NODES } from '../source/check-nodes.js';
import type { FleetNode, ListOptions, NodeSource } from '../source/node-source.js';
import { etcdError, openEtcd } from './etcd-client.js';
import { checkEtcd, type CheckedEtcd, ETCD_OPTIONS, type EtcdOptions } from './etcd-options.js';
import { nodeOf } from './node-entry.js';
import { prefixChanges } from './prefix-changes.js';

/** EtcdNodesOptions are the options of {@link etcdNodes}. */
export interface EtcdNodesOptions extends EtcdOptions {}

/** 32 values of 1.5 MiB, the most that etcd accepts by default, fit a message. */
const PAGE = 32;

/**
 * etcdNodes returns a source of the nodes that are registered in etcd, such as by `btfctl fleet register` or
 * {@link registerNode}. Needs the package `etcd3`.
 *
 * ```ts
 * etcdNodes({ hosts: ['https://etcd1:2379', 'https://etcd2:2379'], tls: { ca, cert, key } });
 * ```
 *
 * An entry that is not that of a node is listed with a `problem`, and has the outcome `failed`. The server name in TLS comes
 * from `tls.serverName` of the fleet, never from etcd.
 *
 * Listing rejects with a BtfError whose code is UNAVAILABLE if etcd does not respond, UNAUTHENTICATED if it does not know the
 * user, PERMISSION_DENIED if the user may not read the prefix, and FAILED_PRECONDITION if `etcd3` is not installed.
 *
 * @throws BtfError INVALID_REQUEST for an option that cannot be used.
 */
export function etcdNodes(options: EtcdNodesOptions): NodeSource {
  onlyKnown(options, ETCD_OPTIONS);
  const etcd = checkEtcd(options);
  return {
    description: etcd.description,
    list: async ({ signal = new AbortController().signal }: ListOptions = {}) => listNodes(etcd, signal),
    changes: ({ signal }) => prefixChanges(etcd, signal),
  };
}

async function listNodes(etcd: CheckedEtcd, signal: AbortSignal): Promise<readonly FleetNode[]> {
  signal.throwIfAborted();
  const client = await openEtcd(etcd);
  try {
    return await orAborted(allNodes(client, etcd.range, signal), signal);
  } catch (error) {
    signal.throwIfAborted();
    throw etcdError(error, etcd);
  } finally {
    client.close();
  }
}

/**
 * Returns the nodes in pages. They are not of one revision, which compaction could remove meanwhile; a key that exists all
 * the time is in one of them. Of too many nodes it returns one more than a fleet may have, so that the fleet refuses them.
 */
async function allNodes(
  client: Etcd3,
  { start, end }: CheckedEtcd['range'],
  signal: AbortSignal,
): Promise<FleetNode[]> {
  const nodes: FleetNode[] = [];
  let from = start;
  while (nodes.length <= MAX_NODES && !signal.aborted) {
    const page = await client.getAll().inRange({ start: from, end }).limit(PAGE).exec();
    for (const { key, value } of page.kvs) nodes.push(nodeOf(key.subarray(start.length), value));
    const last = page.kvs.at(-1)?.key;
    if (!page.more || last === undefined) break;
    from = Buffer.concat([last, Buffer.from([0])]);
  }
  return nodes;
}
