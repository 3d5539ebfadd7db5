import { BtfError, status } from '@btfd/client';
import { aTime, invalidArgument, onlyKnown } from '../base/argument.js';
import { Bounded } from '../base/bounded.js';
import { oneLine } from '../base/one-line.js';
import { MAX_NODES } from '../source/check-nodes.js';
import { distinctNames } from '../source/distinct-nodes.js';
import type { FleetNode, ListOptions, NodeSource } from '../source/node-source.js';
import { ApiServer } from './api-server.js';
import { kubeConfigOf } from './kube-config.js';
import { listSlices } from './list-slices.js';
import { nodesOfSlice } from './slice-nodes.js';

/** KubernetesNodesOptions are the options of {@link kubernetesNodes}. */
export interface KubernetesNodesOptions {
  /** The namespace of the Service. */
  readonly namespace: string;
  /** The name of the Service. */
  readonly service: string;
  /**
   * The path of a kubeconfig. Default: the files in `KUBECONFIG`, then `~/.kube/config`, then the service account of the
   * pod.
   */
  readonly kubeconfig?: string | undefined;
  /** The context of the kubeconfig. Default: its current context. */
  readonly context?: string | undefined;
  /** The name of the port on which the daemons listen. Default: `grpc`. */
  readonly portName?: string | undefined;
  /** The time of a listing with its retries, in milliseconds. Default: 60 s. */
  readonly timeout?: number | undefined;
}

const OPTIONS: readonly (keyof KubernetesNodesOptions)[] = [
  'namespace',
  'service',
  'kubeconfig',
  'context',
  'portName',
  'timeout',
];
/** A plugin for credentials may ask a person, and a busy server may ask to come back. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** A node has an endpoint for each family of addresses, and for an old and a new pod during an update. */
const MAX_ENDPOINTS = 4 * MAX_NODES;

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * kubernetesNodes returns a source of the nodes of a Service in Kubernetes, by its EndpointSlices. A node has the name of the
 * cluster's node. A node whose pod is not ready is listed as not ready. Of an IPv4 and an IPv6 address, or an old and a
 * new pod of one node, the first that is ready counts, IPv4 first. The label `topology.kubernetes.io/zone` is the zone. Nodes whose
 * slice lacks the port have a `problem`, and so have endpoints and slices that are not of this API.
 *
 * ```ts
 * kubernetesNodes({ namespace: 'btfd', service: 'btfd' });
 * kubernetesNodes({ namespace: 'btfd', service: 'btfd', kubeconfig: '/etc/kube/admin.conf', context: 'staging' });
 * ```
 *
 * Each listing reads the kubeconfig, or the service account of the pod, and lists the slices. It needs the right to
 * `list` `endpointslices` of `discovery.k8s.io` in the namespace, and nothing else. Therefore it does not watch them.
 *
 * Listing rejects with a BtfError whose code is
 *
 * - FAILED_PRECONDITION if `@kubernetes/client-node` is not installed, or the kubeconfig cannot be used;
 * - PERMISSION_DENIED if the right is missing, and UNAUTHENTICATED for credentials that are not accepted;
 * - NOT_FOUND if the Service has no endpoints;
 * - RESOURCE_EXHAUSTED if the API server stays busy, and ABORTED if the list expires between its pages three times;
 * - DEADLINE_EXCEEDED after `timeout`, and UNAVAILABLE if the API server cannot be reached or fails;
 * - INTERNAL, with the reason INVALID_RESPONSE, for a response that is not a list of this API, or too large.
 *
 * @throws BtfError INVALID_REQUEST for an option that is unknown or cannot be used.
 */
export function kubernetesNodes(options: KubernetesNodesOptions): NodeSource {
  onlyKnown(options, OPTIONS);
  const { namespace, service, portName = 'grpc', timeout = DEFAULT_TIMEOUT_MS, ...choice } = options;
  aName('namespace', namespace);
  aName('service', service);
  // A Service with one port may leave it without a name.
  if (portName !== '') aName('portName', portName);
  aTime('timeout', timeout);
  const description = `Service ${namespace}/${service}`;
  return {
    description,
    list: async ({ signal }: ListOptions = {}) => {
      using bounded = new Bounded([signal], timeout);
      try {
        bounded.signal.throwIfAborted();
        const server = new ApiServer(await kubeConfigOf(choice));
        return await nodesOf(server, { namespace, service }, portName, bounded.signal);
      } catch (error) {
        if (!bounded.timedOut) signal?.throwIfAborted();
        else throw tooSlow(description, timeout);
        throw error;
      }
    },
  };
}

async function nodesOf(
  server: ApiServer,
  selection: { readonly namespace: string; readonly service: string },
  portName: string,
  signal: AbortSignal,
): Promise<FleetNode[]> {
  let nodes: FleetNode[] = [];
  const onStart = (): void => {
    nodes = [];
  };
  const onPage = (slices: readonly unknown[]): void => {
    for (const slice of slices) nodes.push(...nodesOfSlice(slice, portName));
    if (nodes.length > MAX_ENDPOINTS) throw server.invalid(`has more than ${MAX_ENDPOINTS} endpoints`);
  };
  await listSlices(server, selection, { onStart, onPage }, signal);
  if (nodes.length === 0) {
    const message = `the Service "${selection.service}" in the namespace "${selection.namespace}" has no endpoints with IP addresses: check its name, its namespace and its selector`;
    throw new BtfError({ code: status.NOT_FOUND, reason: null, message });
  }
  // The order of slices is that of their random names.
  return distinctNames(nodes.toSorted((a, b) => Number(isIPv6(a)) - Number(isIPv6(b))));
}

function isIPv6({ address }: FleetNode): boolean {
  return address.startsWith('[');
}

/** aName checks a name of Kubernetes, which then needs no escapes in a URL. */
function aName(field: string, name: string): void {
  if (typeof name === 'string' && LABEL.test(name)) return;
  throw invalidArgument(
    field,
    `must be a name of at most 63 characters a-z, 0-9 and -, not "${oneLine(name)}"`,
  );
}

function tooSlow(description: string, timeout: number): BtfError {
  const message = `listing the nodes of ${description} took longer than ${timeout} ms`;
  return new BtfError({ code: status.DEADLINE_EXCEEDED, reason: null, message });
}
