import type { RawBtf } from './btf/raw-btf.js';
import type { SpecSource } from './btf/spec-store.js';
import type { TransferOptions } from './btf/transfer-progress.js';
import { LEASE_RULES, type LeaseOptions, ttlMessage } from './call/call-options.js';
import { checkOptions } from './error/argument.js';
import { type BtfError, clientError } from './error/btf-error.js';
import { type Handle, leasedHandle } from './handle.js';
import type { HandleInfo } from './object/handle-info.js';
import { RemoteObject } from './remote-object.js';
import type { Session } from './session.js';

/** Visit is the state that an iteration shares with its current handle. */
export interface Visit {
  /** Whether the iteration has moved on. */
  over: boolean;
  /** The result of `take()`, while it is in progress and after it succeeded. */
  taken: Promise<Handle> | null;
}

/**
 * IteratedHandle is the current handle of an iteration. It is valid until the iteration moves on.
 *
 * An object without a BTF id cannot be held: before Linux 5.11 vmlinux has none. Its handle has info, and reads the BTF by
 * name. `take` and `inspect` of it fail with NOT_HOLDABLE.
 */
export class IteratedHandle extends RemoteObject {
  readonly #token: string | null;
  readonly #visit: Visit;

  /** @internal */
  constructor(session: Session, info: HandleInfo, token: string | null, visit: Visit) {
    super(session, info);
    this.#token = token;
    this.#visit = visit;
  }

  /**
   * take keeps the object after the iteration has moved on: it returns a handle of its own, which the caller closes.
   * Taking again returns the same handle. A `take()` that failed, perhaps because its response was lost, can be repeated
   * until the iteration moves on; then the client closes a lease that the daemon may have granted. Modelled on
   * `HandleIterator.Take` of cilium/ebpf.
   *
   * @throws BtfError HANDLE_CLOSED if the iteration has moved on; HANDLE_NOT_FOUND or HANDLE_OF_EARLIER_DAEMON if its
   * stream has ended.
   * @throws BtfError NOT_HOLDABLE if the object has no id.
   * @throws BtfError for every call, see {@link BtfError}.
   */
  async take(options: LeaseOptions = {}): Promise<Handle> {
    checkOptions(options, LEASE_RULES);
    this.#visit.taken ??= this.#take(options);
    return this.#visit.taken;
  }

  protected override use(): string {
    if (this.#visit.over) throw movedOn();
    if (this.#token === null) throw notHoldable(this.info);
    return this.#token;
  }

  protected override async read<T>(call: (source: SpecSource) => Promise<T>): Promise<T> {
    if (this.#token !== null || this.#visit.over) return super.read(call);
    return call({ case: 'name', value: this.info.name });
  }

  protected override async raw(options: TransferOptions): Promise<RawBtf> {
    if (this.#token !== null || this.#visit.over) return super.raw(options);
    return this.session.specs.rawByName(this.info.name, options);
  }

  protected override failed(): void {}

  async #take({ ttl, signal, timeout = this.session.timeout }: LeaseOptions): Promise<Handle> {
    const { connection, doubtful, clock } = this.session;
    const askedAt = clock.now();
    try {
      const { handle } = await this.guard(async (token) => {
        doubtful.add(token);
        return connection.unary('takeHandle', { token, ttl: ttlMessage(ttl) }, { signal, timeout });
      });
      const taken = leasedHandle(this.session, handle, askedAt);
      if (this.#token !== null) doubtful.delete(this.#token);
      return taken;
    } catch (error) {
      this.#visit.taken = null;
      throw error;
    }
  }
}

function notHoldable({ name }: HandleInfo): BtfError {
  const message = `${JSON.stringify(name)} has no BTF id on this kernel, so it cannot be held: read it by its name`;
  return clientError('NOT_HOLDABLE', message);
}

function movedOn(): BtfError {
  return clientError('HANDLE_CLOSED', 'the iteration has moved on: use take() to keep a handle');
}
