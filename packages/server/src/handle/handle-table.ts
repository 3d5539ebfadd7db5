import { ErrorReason } from '@btfd/api';
import type { Clock } from '../clock.js';
import { ServiceError } from '../error/service-error.js';
import type { KernelObject, ObjectInfo } from '../kernel/kernel.js';
import type { Hold } from './hold.js';
import { Lease } from './lease.js';
import { epochOf, newToken } from './token.js';

/** HeldObject is a BTF object that a handle names. */
export interface HeldObject {
  readonly token: string;
  readonly object: KernelObject;
  /** What the kernel said of it when the handle was made. */
  readonly info: ObjectInfo;
  /** The lease, or null while a stream holds the handle. */
  readonly lease: Lease | null;
}

/** Use is a call's use of a handle: the lease doesn't expire meanwhile, and starts anew at the end. */
export interface Use extends Disposable {
  readonly held: HeldObject;
}

interface Entry extends HeldObject {
  lease: Lease | null;
  hold: Hold | null;
  /** Calls that use it now. */
  uses: number;
}

/**
 * HandleTable has every handle of this run of the daemon, and closes each object exactly once: when
 * its lease expires, its stream ends, a client closes it, or the daemon ends.
 */
export class HandleTable {
  /** Leases so far: given, and ended by time or by closing. */
  readonly leases = { granted: 0, expired: 0, closed: 0 };
  private readonly entries = new Map<string, Entry>();
  private ended = false;

  constructor(
    readonly epoch: string,
    private readonly clock: Clock,
  ) {}

  /** Number of handles open. */
  get size(): number {
    return this.entries.size;
  }

  /** Every handle that is open. */
  all(): Iterable<HeldObject> {
    return this.entries.values();
  }

  /** Gives an object a handle with a lease. The table owns the object from here on. */
  grant(object: KernelObject, info: ObjectInfo, ttlMs: number): HeldObject {
    const entry = this.insert(object, info);
    entry.lease = this.newLease(entry, ttlMs);
    return entry;
  }

  /** Gives an object a handle that a stream holds. The table owns the object from here on. */
  hold(object: KernelObject, info: ObjectInfo, hold: Hold): HeldObject {
    const entry = this.insert(object, info);
    entry.hold = hold;
    hold.add(entry.token);
    return entry;
  }

  /** Gives a handle that a stream holds a lease of its own; renews the one of a handle that has it. */
  take(token: string, ttlMs: number): HeldObject {
    const entry = this.find(token);
    if (entry.lease === null) {
      entry.lease = this.newLease(entry, ttlMs);
      entry.hold?.delete(token);
      entry.hold = null;
    } else {
      entry.lease.renew();
    }
    return entry;
  }

  /** Starts a use of a handle, which renews its lease. */
  use(token: string): Use {
    const entry = this.find(token);
    entry.uses += 1;
    entry.lease?.suspend();
    entry.hold?.touch();
    return {
      held: entry,
      [Symbol.dispose]() {
        entry.uses -= 1;
        // A handle that was taken meanwhile got its lease with this use.
        entry.lease?.resume();
        entry.hold?.touch();
      },
    };
  }

  /** Looks at a handle without renewing its lease. */
  peek(token: string): HeldObject {
    return this.find(token);
  }

  /** Renews the lease of a handle, or keeps the stream that holds it waiting; null where it is gone. */
  renew(token: string): HeldObject | null {
    const entry = this.entries.get(token);
    entry?.lease?.renew();
    entry?.hold?.touch();
    return entry ?? null;
  }

  /** Closes a handle. Says whether it was open. */
  close(token: string): boolean {
    const entry = this.entries.get(token);
    if (entry === undefined) return false;
    if (entry.lease !== null) this.leases.closed += 1;
    return this.remove(entry);
  }

  /** Closes every handle. From then on an object that comes late, as from a load, is closed at once. */
  closeAll(): void {
    this.ended = true;
    for (const token of this.entries.keys()) this.close(token);
  }

  private insert(object: KernelObject, info: ObjectInfo): Entry {
    if (this.ended) {
      object.close();
      throw new ServiceError(ErrorReason.SHUTTING_DOWN, 'the daemon is shutting down');
    }
    const token = newToken(this.epoch);
    const entry: Entry = { token, object, info, lease: null, hold: null, uses: 0 };
    this.entries.set(token, entry);
    return entry;
  }

  private remove({ token, lease, hold, object }: Entry): boolean {
    this.entries.delete(token);
    lease?.end();
    hold?.delete(token);
    return object.close();
  }

  private newLease(entry: Entry, ttlMs: number): Lease {
    this.leases.granted += 1;
    return new Lease(ttlMs, entry.uses, this.clock, () => {
      this.leases.expired += 1;
      this.remove(entry);
    });
  }

  private find(token: string): Entry {
    const entry = this.entries.get(token);
    if (entry !== undefined) return entry;
    const epoch = epochOf(token);
    if (epoch !== null && epoch !== this.epoch) {
      throw new ServiceError(
        ErrorReason.HANDLE_OF_EARLIER_DAEMON,
        'the handle is of another run of the daemon; handles end with the daemon',
        { metadata: { daemon_epoch: this.epoch } },
      );
    }
    throw new ServiceError(
      ErrorReason.HANDLE_NOT_FOUND,
      'no such handle: it was closed, has expired, or never was',
    );
  }
}
