/**
 * The nodes of a fleet from the EndpointSlices of a Service in Kubernetes. Needs the package `@kubernetes/client-node`, an
 * optional peer dependency.
 *
 * ```ts
 * import { BtfFleet } from '@btfd/fleet';
 * import { kubernetesNodes } from '@btfd/fleet/kubernetes';
 *
 * const source = kubernetesNodes({ namespace: 'btfd', service: 'btfd' });
 * await using fleet = new BtfFleet(source, { tls });
 * ```
 *
 * @module
 */
export { kubernetesNodes, type KubernetesNodesOptions } from './kubernetes-nodes.js';
