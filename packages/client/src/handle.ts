import { create } from '@bufbuild/protobuf';
import { CloneHandleRequestSchema, type Handle as HandleMessage } from '@btfd/api';
import { checkOptions } from './error/argument.js';
import { BtfError } from './error/btf-error.js';
import { clientError } from './error/client-error.js';
import { CALL_RULES, type CallOptions, LEASE_RULES, type LeaseOptions } from './call/call-options.js';
import { durationFromMs, msFromDuration } from './base/duration.js';
import type { HandleInfo } from './object/handle-info.js';
import { invalidResponse } from './error/invalid-response.js';
import { Lease } from './lease/lease.js';
import { methods } from './call/methods.js';
import { infoOf, RemoteObject } from './remote-object.js';
import type { Session } from './session.js';
import { closeTokens } from './token-calls.js';

/**
 * Handle is a BTF object that the daemon holds open under a lease. The client renews the lease by itself
 * until the handle is closed; a handle that nobody can reach any more is left to expire. While it is open
 * its BTF id is valid, for other programs on the daemon's machine too.
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

  /** The TTL granted, in milliseconds. */
  get grantedTtl(): number {
    return this.#lease.grantedTtl;
  }

  /**
   * A signal that aborts when the lease is lost, with a {@link BtfError} as `reason`: HANDLE_OF_EARLIER_DAEMON
   * where the daemon was restarted, HANDLE_NOT_FOUND where it let go of the handle, LEASE_EXPIRED where it could not
   * be reached in time. Closing the handle does not abort it.
   *
   * ```ts
   * handle.lost.addEventListener('abort', () => console.error(handle.lost.reason));
   * ```
   */
  get lost(): AbortSignal {
    return this.#lease.lost;
  }

  /** clone answers a second handle on the same object. Closing one does not affect the other. */
  async clone(options: LeaseOptions = {}): Promise<Handle> {
    checkOptions(options, LEASE_RULES);
    const { ttl, signal, timeout = this.session.timeout } = options;
    const { connection, clock } = this.session;
    const askedAt = clock.now();
    const { handle } = await this.guard((token) =>
      connection.unary(
        methods.cloneHandle,
        create(CloneHandleRequestSchema, { token, ttl: durationFromMs(ttl) }),
        { signal, timeout },
      ),
    );
    return leasedHandle(this.session, handle, askedAt);
  }

  /**
   * renew resets the lease to its full TTL now. There is no need to, except before a pause in which the
   * process does not run.
   *
   * @returns what is left of the lease, in milliseconds.
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
   * close releases the object. Closing again, or closing a handle that is lost, does nothing.
   *
   * @throws BtfError when the daemon could not be told; the handle is closed all the same, and its lease runs out.
   */
  async close(options: CallOptions = {}): Promise<void> {
    checkOptions(options, CALL_RULES);
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** Closes the handle. Never rejects: the lease of a handle whose daemon could not be told runs out. */
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
 * leasedHandle makes the Handle of a handle that the daemon gave a lease.
 *
 * @param askedAt when it was asked for, by the session's clock.
 */
export function leasedHandle(session: Session, message: HandleMessage | undefined, askedAt: number): Handle {
  const info = infoOf(message);
  if (message?.grantedTtl === undefined) throw invalidResponse('lease');
  session.daemon.observe(message.daemonEpoch);
  const lease = new Lease(message.token, message.daemonEpoch, msFromDuration(message.grantedTtl), askedAt);
  return new Handle(session, info, lease);
}

function handleClosed(): BtfError {
  return clientError('HANDLE_CLOSED', 'the handle was closed');
}
