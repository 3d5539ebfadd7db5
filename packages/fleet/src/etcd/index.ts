/**
 * The nodes of a fleet from etcd, and their registration there. Needs the package `etcd3`, an optional peer dependency.
 *
 * ```ts
 * import { BtfFleet } from '@btfd/fleet';
 * import { etcdNodes } from '@btfd/fleet/etcd';
 *
 * const source = etcdNodes({ hosts: ['https://etcd1:2379', 'https://etcd2:2379'], tls: { ca, cert, key } });
 * await using fleet = new BtfFleet(source, { tls: { ca, cert, key, serverName: '{name}.btfd.example' } });
 * ```
 *
 * @module etcd
 */
export type { EtcdOptions, EtcdTls, EtcdUser } from './etcd-options.js';
export { etcdNodes, type EtcdNodesOptions } from './etcd-nodes.js';
export { registerNode, type RegisterNodeOptions } from './register-node.js';
export { Registration, type RegistrationState } from './registration.js';
