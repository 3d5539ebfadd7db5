import { once } from 'node:events';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { HandleSchema, InfoDetail } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import { durationFromMs } from '../base/duration.js';
import type { FakeKernel } from './fake-kernel.js';
import type { FakeObject } from './fake-object.js';

/** FakeHandle is an open handle of a fake daemon. */
export interface FakeHandle {
  readonly token: string;
  readonly object: FakeObject;
  /** The TTL granted, in milliseconds; null while a stream holds the handle. */
  readonly ttl: number | null;
}

interface Entry {
  readonly token: string;
  readonly object: FakeObject;
  ttl: number | null;
  /** By `performance.now()`. */
  expiresAt: number;
}

/** HandleInit is what a Handle message is made of. */
export type HandleInit = MessageInitShape<typeof HandleSchema>;

/** FakeHandles are the open handles of one run of a fake daemon. Leases run out when someone looks. */
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

  /** Opens an object. @param ttl null where a stream holds the handle. */
  grant(object: FakeObject, ttl: number | null): string {
    this.#count += 1;
    const token = `${this.#epoch}:${this.#count}`;
    this.#entries.set(token, { token, object, ttl, expiresAt: expiryOf(ttl) });
    return token;
  }

  /** The object of a handle. @throws BtfError HANDLE_NOT_FOUND, HANDLE_OF_EARLIER_DAEMON. */
  objectOf(token: string): FakeObject {
    return this.#entry(token).object;
  }

  /** Resets a lease. @returns what is left of it: all; null where it is gone, undefined where a stream holds it. */
  renew(token: string): number | null | undefined {
    this.#expire();
    const entry = this.#entries.get(token);
    if (entry === undefined) return null;
    entry.expiresAt = expiryOf(entry.ttl);
    return entry.ttl ?? undefined;
  }

  /** Gives a handle that a stream holds its own lease; one that has a lease keeps it. */
  take(token: string, ttl: number): void {
    const entry = this.#entry(token);
    entry.ttl ??= ttl;
    entry.expiresAt = expiryOf(entry.ttl);
    this.#released.dispatchEvent(new Event('release'));
  }

  /** @returns whether it was open. */
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

  /** Resolves when a handle that a stream holds was taken or closed, or when the signal aborts. */
  async released(signal: AbortSignal): Promise<void> {
    await once(this.#released, 'release', { signal }).catch(() => {});
  }

  message(token: string, details: readonly InfoDetail[] = []): HandleInit {
    const { object, ttl, expiresAt } = this.#entry(token);
    const info = object.info(details);
    const handle = { token, info, daemonEpoch: this.#epoch };
    if (ttl === null) return handle;
    const remaining = Math.max(0, Math.round(expiresAt - performance.now()));
    return { ...handle, grantedTtl: durationFromMs(ttl), remainingTtl: durationFromMs(remaining) };
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
