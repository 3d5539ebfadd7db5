import { once } from 'node:events';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { HandleSchema, InfoDetail } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import type { FakeKernel } from './fake-kernel.js';
import type { FakeObject } from './fake-object.js';

/** FakeHandle is an open handle of a fake daemon. */
export interface FakeHandle {
  readonly token: string;
  readonly object: FakeObject;
  /** The granted TTL in milliseconds; null while a stream holds the handle. */
  readonly ttl: number | null;
}

interface Entry {
  readonly token: string;
  readonly object: FakeObject;
  ttl: number | null;
  /** By `performance.now()`. */
  expiresAt: number;
}

/** HandleInit is the input of a Handle message. */
export type HandleInit = MessageInitShape<typeof HandleSchema>;

/** FakeHandles are the open handles of one run of a fake daemon. Expired leases are removed before each access. */
export class FakeHandles {
  readonly #kernel: FakeKernel;
  readonly #epoch: string;
  readonly #entries = new Map<string, Entry>();
  readonly #released = new EventTarget();
  #count = 0;

  constructor(kernel: FakeKernel, epoch: string) {
    this.#kernel = kernel;
    this.#epoch = epoch;
  }

  get open(): FakeHandle[] {
    this.#expire();
    return [...this.#entries.values()].map(({ token, object, ttl }) => ({ token, object, ttl }));
  }

  /** Opens an object and returns the handle's token. @param ttl null for a handle that a stream holds. */
  grant(object: FakeObject, ttl: number | null): string {
    this.#count += 1;
    const token = `${this.#epoch}:${this.#count}`;
    this.#entries.set(token, { token, object, ttl, expiresAt: expiryOf(ttl) });
    return token;
  }

  /** Returns the object of a handle. @throws BtfError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON. */
  objectOf(token: string): FakeObject {
    return this.#entry(token).object;
  }

  /** Resets a lease. Returns its whole TTL, null if the handle is gone, or undefined if a stream holds it. */
  renew(token: string): number | null | undefined {
    this.#expire();
    const entry = this.#entries.get(token);
    if (entry === undefined) return null;
    entry.expiresAt = expiryOf(entry.ttl);
    return entry.ttl ?? undefined;
  }

  /** Gives a lease to a handle that a stream holds. A handle that has a lease keeps it. */
  take(token: string, ttl: number): void {
    const entry = this.#entry(token);
    entry.ttl ??= ttl;
    entry.expiresAt = expiryOf(entry.ttl);
    this.#released.dispatchEvent(new Event('release'));
  }

  /** Closes a handle. Returns whether it was open. */
  close(token: string): boolean {
    this.#expire();
    const entry = this.#entries.get(token);
    if (entry === undefined) return false;
    this.#drop(entry);
    return true;
  }

  /** Ends all leases. */
  expire(): void {
    for (const entry of this.#entries.values()) if (entry.ttl !== null) this.#drop(entry);
  }

  isHeld(token: string): boolean {
    return this.#entries.get(token)?.ttl === null;
  }

  /** Resolves when a handle is taken or closed, or when the signal aborts. */
  async released(signal: AbortSignal): Promise<void> {
    await once(this.#released, 'release', { signal }).catch(() => {});
  }

  message(token: string, details: readonly InfoDetail[] = []): HandleInit {
    const { object, ttl, expiresAt } = this.#entry(token);
    const info = object.info(details);
    const handle = { token, info, daemonEpoch: this.#epoch };
    if (ttl === null) return handle;
    const remaining = Math.max(0, Math.round(expiresAt - performance.now()));
    return { ...handle, grantedTtl: durationFromMs(Math.ceil(ttl)), remainingTtl: durationFromMs(remaining) };
  }

  #entry(token: string): Entry {
    this.#expire();
    const entry = this.#entries.get(token);
    if (entry !== undefined) return entry;
    if (token.startsWith(`${this.#epoch}:`)) {
      throw notFound('HANDLE_NOT_FOUND', 'the handle was closed or has expired', {});
    }
    throw notFound('HANDLE_OF_EARLIER_DAEMON', 'the handle is of an earlier run', {
      daemon_epoch: this.#epoch,
    });
  }

  #expire(): void {
    const now = performance.now();
    for (const entry of this.#entries.values()) if (entry.expiresAt <= now) this.#drop(entry);
  }

  #drop({ token, object }: Entry): void {
    this.#entries.delete(token);
    const isLast = [...this.#entries.values()].every((other) => other.object !== object);
    if (object.transient && isLast && !object.removed) this.#kernel.remove(object.id);
    this.#released.dispatchEvent(new Event('release'));
  }
}

function expiryOf(ttl: number | null): number {
  return ttl === null ? Infinity : performance.now() + ttl;
}

function notFound(
  reason: 'HANDLE_NOT_FOUND' | 'HANDLE_OF_EARLIER_DAEMON',
  message: string,
  metadata: Record<string, string>,
): BtfError {
  return new BtfError({ code: status.NOT_FOUND, reason, message, metadata });
}
