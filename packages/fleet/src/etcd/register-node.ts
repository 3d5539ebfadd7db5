import type { BtfClient } from '@btfd/client';
import { invalidArgument, onlyKnown } from '../base/argument.js';
import { isNodeName, problemOf } from '../source/check-nodes.js';
import { checkEtcd, ETCD_OPTIONS, type EtcdOptions } from './etcd-options.js';
import { isRemoteAddress, nodeValue } from './node-entry.js';
import { Registration, type RegistrationState, type RegistrationTimes } from './registration.js';

/** RegisterNodeOptions are the options of {@link registerNode}. */
export interface RegisterNodeOptions extends EtcdOptions {
  /** The name of the node: at most 253 printable ASCII characters without spaces and slashes. */
  readonly name: string;
  /** The address at which others reach the daemon: `HOST:PORT`. */
  readonly address: string;
  /** Other facts of the node, such as its zone. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** A client of the daemon, which says whether the daemon responds. It stays open. */
  readonly daemon: Pick<BtfClient, 'serverInfo'>;
  /** Aborting it ends the registration as `close` does. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Is called when the state of the registration changes. It must not throw. Default: nothing. */
  readonly onState?: ((state: RegistrationState) => void) | undefined;
}

const OPTIONS: readonly (keyof RegisterNodeOptions)[] = [
  ...ETCD_OPTIONS,
  'name',
  'address',
  'labels',
  'daemon',
  'signal',
  'onState',
];

/** A lease survives two renewals that fail. */
const TIMES: RegistrationTimes = {
  lease: 30_000,
  renew: 10_000,
  retry: 1_000,
  ask: 5_000,
  askLimit: 3_000,
  silence: 15_000,
};

/**
 * registerNode registers a node in etcd, for {@link etcdNodes} of others. It runs until it is closed:
 *
 * - It waits until the daemon responds. Then it creates the key of the node under a lease of 30 s, which it renews.
 * - When the daemon has not responded for 15 s it revokes the lease, and waits for the daemon again.
 * - When the lease is lost, for example because etcd could not be reached for 30 s, it registers again.
 * - When it is closed it revokes the lease. If the process is killed, the key expires with the lease.
 *
 * ```ts
 * await using client = new BtfClient('unix:/run/btfd/btfd.sock');
 * await using registration = registerNode({ hosts, name: 'web1', address: '10.0.0.1:7443', daemon: client });
 * await registration.ended;
 * ```
 *
 * A key that exists without the lease is never replaced. Under another lease with the same value it is that of an earlier
 * process of this node, and the registration waits until it has expired, a lease's time at most.
 *
 * `ended` rejects with a BtfError whose code is ALREADY_EXISTS for any other key that exists, UNAUTHENTICATED or PERMISSION_DENIED
 * if etcd refuses the user, FAILED_PRECONDITION if `etcd3` is not installed.
 *
 * @throws BtfError INVALID_REQUEST for an option that cannot be used, such as the address of a socket of the machine.
 */
export function registerNode(options: RegisterNodeOptions): Registration {
  return registerNodeWith(options, TIMES);
}

/** registerNodeWith is {@link registerNode} with other times. */
export function registerNodeWith(options: RegisterNodeOptions, times: RegistrationTimes): Registration {
  onlyKnown(options, OPTIONS);
  const { name, address, labels = {}, daemon, signal, onState = () => {} } = options;
  const etcd = checkEtcd(options);
  if (!isNodeName(name) || name.includes('/')) {
    throw invalidArgument(
      'name',
      'must be 253 printable ASCII characters at most, without spaces and slashes',
    );
  }
  if (!isRemoteAddress(address)) {
    throw invalidArgument('address', `must be HOST:PORT, at which other machines reach the daemon`);
  }
  const problem = problemOf({ name, address, labels });
  if (problem !== null) throw invalidArgument('labels', problem);
  return new Registration({ etcd, name, value: nodeValue(address, labels), daemon, onState, times }, signal);
}
