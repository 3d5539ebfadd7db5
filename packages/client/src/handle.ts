import type { Handle as HandleMessage } from '@btfd/api';
import { durationMs } from './base/duration.js';
import {
  CALL_RULES,
  type CallOptions,
  LEASE_RULES,
  type LeaseOptions,
  ttlMessage,
} from './call/call-options.js';
import { checkOptions } from './error/argument.js';
import { BtfError, clientError, invalidResponse } from './error/btf-error.js';
import { Lease } from './lease/lease.js';
import type { HandleInfo } from './object/handle-info.js';
import { infoOf, RemoteObject } from './remote-object.js';
import type { Session } from './session.js';
import { closeTokens } from './token-calls.js';

/**
 * Handle is a BTF object that the daemon holds open under a lease. The client renews the lease automatically until the
 * handle is closed; the lease of a handle that has become garbage expires. While the handle is open its BTF id is
 * valid, for other programs on the daemon's machine too. Modelled on `btf.Handle` of cilium/ebpf.
 *
 * ```ts
 * await using handle = await client.getHandleById(1);
 * ```
 */
export class Handle extends RemoteObject implements AsyncDisposable {
  readonly #lease: Lease;
  #closing: Promise<void> | null = null;

  /** @internal */
  constructor(session: Session, info: HandleInfo, lease: Lease) {
    super(session, info);
    this.#lease = lease;
    session.leases.add(lease);
  }

  /** The granted TTL in milliseconds. */
  get grantedTtl(): number {
    return this.#lease.grantedTtl;
  }

  /**
   * A signal that aborts when the lease is lost, with a {@link BtfError} as its `reason`: HANDLE_OF_EARLIER_DAEMON if
   * the daemon was restarted, HANDLE_NOT_FOUND if it closed the handle, LEASE_EXPIRED if it could not be reached in
   * time. Closing the handle does not abort it.
   *
   * ```ts
   * handle.lost.addEventListener('abort', () => console.error(handle.lost.reason));
   * ```
   */
  get lost(): AbortSignal {
    return this.#lease.lost;
  }

  /**
   * clone returns a second handle on the same object, with a lease of its own. Closing one handle does not affect the
   * other. Modelled on `Handle.Clone` of cilium/ebpf.
   *
   * @throws BtfError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON, LEASE_EXPIRED or HANDLE_CLOSED if the handle is not
   * open.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async clone(options: LeaseOptions = {}): Promise<Handle> {
    checkOptions(options, LEASE_RULES);
    const { ttl, signal, timeout = this.session.timeout } = options;
    const { connection, clock } = this.session;
    const askedAt = clock.now();
    const { handle } = await this.guard((token) =>
      connection.unary('cloneHandle', { token, ttl: ttlMessage(ttl) }, { signal, timeout }),
    );
    return leasedHandle(this.session, handle, askedAt);
  }

  /**
   * renew resets the lease to its full TTL now. The client renews leases automatically, so this is only useful before a
   * time in which the process does not run.
   *
   * @returns the remaining TTL in milliseconds.
   * @throws BtfError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON, LEASE_EXPIRED or HANDLE_CLOSED if the handle is not
   * open.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async renew(options: CallOptions = {}): Promise<number> {
    checkOptions(options, CALL_RULES);
    const { signal, timeout = this.session.timeout } = options;
    this.use();
    const remaining = await this.session.leases.renew(this.#lease, { signal, timeout });
    this.use();
    return remaining;
  }

  /**
   * close releases the object. Closing the handle again, or after it was lost, does nothing. Modelled on `Handle.Close`
   * of cilium/ebpf.
   *
   * @throws BtfError for every call, see {@link BtfError}, if the daemon could not be reached. The handle is closed
   * nevertheless, and its lease expires.
   */
  async close(options: CallOptions = {}): Promise<void> {
    checkOptions(options, CALL_RULES);
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** Closes the handle. Never rejects: if the daemon cannot be reached, the lease expires. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => {});
  }

  protected override use(): string {
    if (this.#closing !== null) throw handleClosed();
    this.lost.throwIfAborted();
    return this.#lease.token;
  }

  protected override failed(error: unknown): void {
    if (!BtfError.isBtfError(error)) return;
    if (error.reason !== 'HANDLE_NOT_FOUND' && error.reason !== 'HANDLE_OF_EARLIER_DAEMON') return;
    this.session.leases.lose(this.#lease, error);
    this.session.daemon.observe(error.metadata['daemon_epoch'] ?? '');
  }

  async #close({ signal, timeout = this.session.timeout }: CallOptions): Promise<void> {
    const { connection, leases } = this.session;
    leases.remove(this.#lease);
    if (this.lost.aborted || connection.closed) return;
    await closeTokens(connection, [this.#lease.token], { signal, timeout });
  }
}

/**
 * leasedHandle returns the Handle for a message with a lease.
 *
 * @param askedAt when the lease was asked for, by the session's clock.
 * @throws BtfError INVALID_RESPONSE if the message has no info or lease.
 */
export function leasedHandle(session: Session, message: HandleMessage | undefined, askedAt: number): Handle {
  const info = infoOf(message);
  if (message?.grantedTtl === undefined) throw invalidResponse('lease');
  session.daemon.observe(message.daemonEpoch);
  const lease = new Lease(message.token, message.daemonEpoch, durationMs(message.grantedTtl), askedAt);
  return new Handle(session, info, lease);
}

function handleClosed(): BtfError {
  return clientError('HANDLE_CLOSED', 'the handle was closed');
}
