import type { FleetSource } from '@btfd/client/contexts';
import type { Command } from 'commander';
import { notEmpty } from './global-options.js';

/** EtcdFlags say which etcd has the nodes, and how to connect to it. */
export type EtcdFlags = Pick<
  FleetSource,
  'etcd' | 'prefix' | 'etcdCa' | 'etcdCert' | 'etcdKey' | 'etcdUser' | 'etcdPasswordFile'
>;

/** etcdOptions declares the {@link EtcdFlags}. */
export function etcdOptions(command: Command, description: string): Command {
  return command
    .option('--etcd <hosts>', description, notEmpty)
    .option('--prefix <prefix>', 'with --etcd: the beginning of its keys; default: /btfd/nodes/', notEmpty)
    .option('--etcd-ca <file>', 'authorities of the certificates of etcd', notEmpty)
    .option('--etcd-cert <file>', 'client certificate for etcd', notEmpty)
    .option('--etcd-key <file>', 'key of the client certificate for etcd', notEmpty)
    .option('--etcd-user <name>', 'user of etcd, with a password', notEmpty)
    .option('--etcd-password-file <file>', 'file with the password (or BTFCTL_ETCD_PASSWORD)', notEmpty);
}
