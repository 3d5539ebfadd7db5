import type { Etcd3, IKeyValue } from 'etcd3';
import { BtfError, status } from '@btfd/client';
import { CALL_MS, etcdError, openEtcd } from './etcd-client.js';
import type { CheckedEtcd } from './etcd-options.js';

/** KeyState is the state of the key of a node: it is under its own lease, does not exist, or something else holds it. */
export type KeyState =
  | { readonly kind: 'ours' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'held'; readonly value: string; readonly error: BtfError };

/** etcd reports a key without a lease so. */
const NO_LEASE = '0';

/**
 * NodeKey is the key of one node in etcd, under a lease. Each method makes calls that are bounded in time, and throws a
 * BtfError if one fails. etcd3's own leases are not used: they renew themselves in a stream that nobody can wait for.
 */
export class NodeKey {
  readonly #etcd: CheckedEtcd;
  readonly #key: string;
  #client: Etcd3;
  #lease = NO_LEASE;

  private constructor(client: Etcd3, etcd: CheckedEtcd, name: string) {
    this.#client = client;
    this.#etcd = etcd;
    this.#key = `${etcd.prefix}${name}`;
  }

  /** open does not connect. @throws BtfError FAILED_PRECONDITION if `etcd3` is not installed. */
  static async open(etcd: CheckedEtcd, name: string): Promise<NodeKey> {
    return new NodeKey(await openEtcd(etcd), etcd, name);
  }

  /**
   * reopen replaces the client of etcd, which keeps tokens that are not valid any more. The lease stays. If the certificates cannot
   * be read now, for example because they are being replaced, the client stays too.
   */
  async reopen(): Promise<void> {
    const client = await openEtcd(this.#etcd).catch(() => null);
    if (client === null) return;
    this.#client.close();
    this.#client = client;
  }

  close(): void {
    this.#client.close();
  }

  /** keep renews the lease, or gets a new one if there is none any more. @param seconds the time to live of a new one. */
  async keep(seconds: number): Promise<void> {
    if (this.#lease !== NO_LEASE && (await this.#call(async () => this.#renew()))) return;
    this.#lease = NO_LEASE;
    const { ID } = await this.#call(async () => this.#client.leaseClient.leaseGrant({ TTL: seconds }));
    this.#lease = ID;
  }

  /** create creates the key under the lease, in one transaction, if it does not exist. */
  async create(value: string): Promise<KeyState> {
    const lease = this.#lease;
    // Otherwise the key would stay for ever. An attempt that was given up may end meanwhile.
    if (lease === NO_LEASE) {
      const message = `the lease of the key ${this.#key} of etcd was revoked`;
      throw new BtfError({ code: status.UNAVAILABLE, reason: null, message });
    }
    const { succeeded, responses } = await this.#call(async () =>
      this.#client
        .if(this.#key, 'Create', '==', 0)
        .then(this.#client.put(this.#key).value(value).lease(lease))
        .else(this.#client.get(this.#key))
        .commit(),
    );
    // It is also ours if an earlier attempt succeeded whose response was lost.
    return succeeded ? { kind: 'ours' } : this.#stateOf(responses[0]?.response_range?.kvs[0]);
  }

  /** state reads the key. */
  async state(): Promise<KeyState> {
    const { kvs } = await this.#call(async () => this.#client.get(this.#key).exec());
    return this.#stateOf(kvs[0]);
  }

  /** revoke ends the lease, and with it the key if that is under the lease. Without a lease it does nothing. */
  async revoke(): Promise<void> {
    const lease = this.#lease;
    this.#lease = NO_LEASE;
    if (lease === NO_LEASE) return;
    await this.#call(async () => this.#client.leaseClient.leaseRevoke({ ID: lease }));
  }

  /** Returns false if the lease has expired, or was revoked. */
  async #renew(): Promise<boolean> {
    const stream = await this.#client.leaseClient.leaseKeepAlive({ deadline: Date.now() + CALL_MS });
    try {
      return await new Promise<boolean>((resolve, reject) => {
        stream.on('data', ({ TTL }) => resolve(TTL !== '0'));
        stream.on('error', reject);
        stream.on('end', () => reject(new Error('etcd ended the stream')));
        stream.write({ ID: this.#lease });
      });
    } finally {
      stream.cancel();
    }
  }

  #stateOf(found: IKeyValue | undefined): KeyState {
    if (found === undefined) return { kind: 'absent' };
    if (found.lease === this.#lease) return { kind: 'ours' };
    const how =
      found.lease === NO_LEASE
        ? `exists without a lease: if nobody needs it, remove it with \`etcdctl del ${this.#key}\``
        : `is under another lease, ${hexOf(found.lease)}: another process registers this name`;
    const message = `the key ${this.#key} of etcd ${how}`;
    const error = new BtfError({ code: status.ALREADY_EXISTS, reason: null, message });
    return { kind: 'held', value: found.value.toString('utf8'), error };
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw etcdError(error, this.#etcd);
    }
  }
}

/** Returns the id of a lease as etcdctl prints it. */
function hexOf(id: string): string {
  return BigInt(id).toString(16).padStart(16, '0');
}
