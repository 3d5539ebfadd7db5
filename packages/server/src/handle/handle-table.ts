import { randomBytes, randomFillSync } from 'node:crypto';
import { ErrorReason } from '@btfd/api';
import { requireSight, type Caller } from '../auth/caller.js';
import type { Clock } from '../base/clock.js';
import { ServiceError } from '../error/service-error.js';
import type { KernelObject, ObjectInfo } from '../kernel/kernel.js';
import { originOf } from '../kernel/origin.js';
import type { Claim } from '../quota/quota.js';
import type { Quotas } from '../quota/quotas.js';
import type { Hold } from './hold.js';
import { Leases, type Lease } from './lease.js';

/** 64 bits: no two runs of the daemon have the same. */
const EPOCH_BYTES = 8;
/** 128 bits: cannot be guessed. */
const SECRET_BYTES = 16;

const TOKEN = /^(?<epoch>[0-9a-f]{16})\.[\w-]{22}$/;

/** HeldObject is a BTF object that a handle names. */
export interface HeldObject {
  readonly token: string;
  readonly object: KernelObject;
  /** The kernel's info about it when the handle was made. */
  readonly info: ObjectInfo;
  /** The lease, or null while a stream holds the handle. */
  readonly lease: Lease<unknown> | null;
}

/** Use is a call's use of a handle. The lease does not expire during the use, and is renewed at its end. */
export interface Use extends Disposable {
  readonly held: HeldObject;
}

interface Entry extends HeldObject {
  /** The principal that got it. For all others the handle does not exist. */
  readonly owner: string;
  lease: Lease<Entry> | null;
  hold: Hold | null;
  /** The number of calls that use it now. */
  uses: number;
  /** Its parts of its owner's quotas. */
  readonly claims: readonly Claim[];
}

/** Slot is emptied when its handle is removed, because V8 keeps the removed entries of a Map for a time (see LinkedList). */
interface Slot {
  entry: Entry | null;
}

/**
 * HandleTable has every handle of this run of the daemon. It closes each object exactly once: when its lease expires, its
 * stream ends, a client closes it, or the daemon ends. A caller must own a handle, and still be allowed to see its object,
 * to use it.
 */
export class HandleTable {
  readonly #quotas: Pick<Quotas, 'handles' | 'btfBytes'>;
  readonly #running: Leases<Entry>;
  /** How many leases were granted, have expired, and were closed. */
  readonly leases = { granted: 0, expired: 0, closed: 0 };
  readonly #slots = new Map<string, Slot>();
  #ended = false;

  constructor(
    readonly epoch: string,
    clock: Clock,
    quotas: Pick<Quotas, 'handles' | 'btfBytes'>,
  ) {
    this.#quotas = quotas;
    this.#running = new Leases(clock, (entry) => {
      this.leases.expired += 1;
      this.#remove(entry);
    });
  }

  /** Number of handles open. */
  get size(): number {
    return this.#slots.size;
  }

  /** Every handle that is open. */
  *all(): Iterable<HeldObject> {
    for (const { entry } of this.#slots.values()) if (entry !== null) yield entry;
  }

  /**
   * Checks that the caller may have one more handle, before any work is done for it.
   *
   * @param bytes - the size of the BTF that the handle would keep in the kernel
   * @throws ServiceError QUOTA_EXCEEDED if it may not.
   */
  checkRoom({ principal }: Caller, bytes: number): void {
    this.#quotas.handles.check(principal);
    this.#quotas.btfBytes.check(principal, bytes);
  }

  /**
   * Grants the caller a handle with a lease on an object. The table owns the object from here on.
   *
   * @throws ServiceError QUOTA_EXCEEDED if the caller has too many, or SHUTTING_DOWN. The object is closed then.
   */
  grant(caller: Caller, object: KernelObject, info: ObjectInfo, ttlMs: number): HeldObject {
    const entry = this.#insert(caller, object, info);
    entry.lease = this.#newLease(entry, ttlMs);
    return entry;
  }

  /**
   * Grants the caller a handle that one of its streams holds. The table owns the object from here on.
   *
   * @throws ServiceError QUOTA_EXCEEDED if the caller has too many, or SHUTTING_DOWN. The object is closed then.
   */
  hold(caller: Caller, object: KernelObject, info: ObjectInfo, hold: Hold): HeldObject {
    const entry = this.#insert(caller, object, info);
    entry.hold = hold;
    hold.add(entry.token);
    return entry;
  }

  /**
   * Takes a handle from the stream that holds it, and gives it a lease. If it has a lease, that is renewed.
   *
   * @throws ServiceError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON or ROLE_FORBIDS.
   */
  take(caller: Caller, token: string, ttlMs: number): HeldObject {
    const entry = this.#find(caller, token);
    if (entry.lease === null) {
      entry.lease = this.#newLease(entry, ttlMs);
      entry.hold?.delete(token);
      entry.hold = null;
    } else {
      entry.lease.renew();
    }
    return entry;
  }

  /**
   * Starts a use of a handle, which renews its lease.
   *
   * @throws ServiceError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON or ROLE_FORBIDS.
   */
  use(caller: Caller, token: string): Use {
    const entry = this.#find(caller, token);
    entry.uses += 1;
    entry.lease?.suspend();
    entry.hold?.touch();
    return {
      held: entry,
      [Symbol.dispose]() {
        entry.uses -= 1;
        // If the handle was taken during this use, its new lease counted the use.
        entry.lease?.resume();
        entry.hold?.touch();
      },
    };
  }

  /**
   * Returns a handle without renewing its lease.
   *
   * @throws ServiceError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON or ROLE_FORBIDS.
   */
  peek(caller: Caller, token: string): HeldObject {
    return this.#find(caller, token);
  }

  /**
   * Renews the lease of a handle, or keeps the stream that holds it waiting. Returns null if the handle is gone or the caller
   * may no longer see its object.
   */
  renew(caller: Caller, token: string): HeldObject | null {
    const entry = this.#entryOf(caller, token);
    if (entry === null || !caller.maySee(originOf(entry.info))) return null;
    entry.lease?.renew();
    entry.hold?.touch();
    return entry;
  }

  /** Closes a handle of the caller. Returns whether it was open. */
  closeFor(caller: Caller, token: string): boolean {
    return this.#entryOf(caller, token) !== null && this.close(token);
  }

  /** Closes a handle of any caller. Returns whether it was open. */
  close(token: string): boolean {
    const entry = this.#slots.get(token)?.entry ?? null;
    if (entry === null) return false;
    if (entry.lease !== null) this.leases.closed += 1;
    return this.#remove(entry);
  }

  /** Closes every handle. An object that is added later, for example by a load, is closed at once. */
  closeAll(): void {
    this.#ended = true;
    for (const token of this.#slots.keys()) this.close(token);
  }

  #insert({ principal }: Caller, object: KernelObject, info: ObjectInfo): Entry {
    if (this.#ended) {
      object.close();
      throw new ServiceError(ErrorReason.SHUTTING_DOWN, 'the daemon is shutting down');
    }
    const token = newToken(this.epoch);
    const claims = this.#takeRoom(principal, object, info);
    const entry: Entry = { token, owner: principal, object, info, lease: null, hold: null, uses: 0, claims };
    this.#slots.set(token, { entry });
    return entry;
  }

  #takeRoom(principal: string, object: KernelObject, info: ObjectInfo): readonly Claim[] {
    let handle: Claim | null = null;
    try {
      handle = this.#quotas.handles.take(principal);
      // The kernel keeps its own objects whether anybody holds them or not. Neither array has room for more, as one would
      // that grows.
      return info.kernelBtf ? [handle] : [handle, this.#quotas.btfBytes.take(principal, info.size)];
    } catch (error) {
      handle?.[Symbol.dispose]();
      object.close();
      throw error;
    }
  }

  #remove({ token, lease, hold, object, claims }: Entry): boolean {
    const slot = this.#slots.get(token);
    if (slot !== undefined) slot.entry = null;
    this.#slots.delete(token);
    if (lease !== null) this.#running.end(lease);
    hold?.delete(token);
    for (const each of claims) each[Symbol.dispose]();
    return object.close();
  }

  #newLease(entry: Entry, ttlMs: number): Lease<Entry> {
    this.leases.granted += 1;
    return this.#running.grant(entry, ttlMs, entry.uses);
  }

  #entryOf({ principal }: Caller, token: string): Entry | null {
    const entry = this.#slots.get(token)?.entry ?? null;
    return entry?.owner === principal ? entry : null;
  }

  #find(caller: Caller, token: string): Entry {
    const entry = this.#entryOf(caller, token);
    if (entry !== null) {
      requireSight(caller, originOf(entry.info));
      return entry;
    }
    const epoch = epochOf(token);
    if (epoch !== null && epoch !== this.epoch) {
      throw new ServiceError(
        ErrorReason.HANDLE_OF_EARLIER_DAEMON,
        'the handle belongs to another run of the daemon: handles end with the daemon',
        { metadata: { daemon_epoch: this.epoch } },
      );
    }
    throw new ServiceError(
      ErrorReason.HANDLE_NOT_FOUND,
      'no such handle: it was closed, has expired, never existed, or belongs to another caller',
    );
  }
}

/** newEpoch returns the epoch for a run of the daemon. */
export function newEpoch(): string {
  return randomBytes(EPOCH_BYTES).toString('hex');
}

/** Random bytes for the next tokens. To fetch those of one token takes a thirtieth of the time of a call. */
const secrets = Buffer.alloc(64 * SECRET_BYTES);
let usedSecrets = secrets.length;

/** newToken returns a token for a handle of a run. */
export function newToken(epoch: string): string {
  if (usedSecrets === secrets.length) {
    randomFillSync(secrets);
    usedSecrets = 0;
  }
  const start = usedSecrets;
  usedSecrets += SECRET_BYTES;
  return `${epoch}.${secrets.toString('base64url', start, usedSecrets)}`;
}

/** Returns the epoch in a token, or null if the text does not have the form of a token. */
function epochOf(token: string): string | null {
  return TOKEN.exec(token)?.groups?.['epoch'] ?? null;
}
