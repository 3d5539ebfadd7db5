import { create } from '@bufbuild/protobuf';
import { TakeHandleRequestSchema } from '@btfd/api';
import { checkOptions } from './error/argument.js';
import type { BtfError } from './error/btf-error.js';
import { clientError } from './error/client-error.js';
import { LEASE_RULES, type LeaseOptions } from './call/call-options.js';
import { durationFromMs } from './base/duration.js';
import { type Handle, leasedHandle } from './handle.js';
import type { HandleInfo } from './object/handle-info.js';
import { methods } from './call/methods.js';
import { RemoteObject } from './remote-object.js';
import type { Session } from './session.js';

/** Visit is what an iteration and the handle that it shows know of each other. */
export interface Visit {
  /** Whether the iteration has moved on. */
  over: boolean;
  /** The taking of the handle, while it is under way and when it succeeded. */
  taken: Promise<Handle> | null;
}

/** IteratedHandle is the current handle of an iteration. It is valid until the iteration moves on. */
export class IteratedHandle extends RemoteObject {
  readonly #token: string;
  readonly #visit: Visit;

  /** @internal */
  constructor(session: Session, info: HandleInfo, token: string, visit: Visit) {
    super(session, info);
    this.#token = token;
    this.#visit = visit;
  }

  /**
   * take keeps the object beyond the iteration: answers a handle of its own, for the caller to close. Taking
   * again answers the same handle; where taking failed, perhaps by a lost answer, it can be repeated until the
   * iteration moves on. What the daemon may have leased by a taking that failed is closed then.
   */
  async take(options: LeaseOptions = {}): Promise<Handle> {
    checkOptions(options, LEASE_RULES);
    this.#visit.taken ??= this.#take(options);
    return this.#visit.taken;
  }

  protected override use(): string {
    if (this.#visit.over) throw movedOn();
    return this.#token;
  }

  protected override failed(): void {}

  async #take({ ttl, signal, timeout = this.session.timeout }: LeaseOptions): Promise<Handle> {
    const { connection, doubtful, clock } = this.session;
    const askedAt = clock.now();
    try {
      const { handle } = await this.guard(async (token) => {
        const request = create(TakeHandleRequestSchema, { token, ttl: durationFromMs(ttl) });
        doubtful.add(token);
        return connection.unary(methods.takeHandle, request, { signal, timeout });
      });
      const taken = leasedHandle(this.session, handle, askedAt);
      doubtful.delete(this.#token);
      return taken;
    } catch (error) {
      this.#visit.taken = null;
      throw error;
    }
  }
}

function movedOn(): BtfError {
  return clientError('HANDLE_CLOSED', 'the iteration has moved on: take() a handle to keep it');
}
