import { setTimeout as sleep } from 'node:timers/promises';
import { type BtfClient, BtfError, status } from '@btfd/client';
import { Bounded, orAborted } from '../base/bounded.js';
import { CALL_MS, etcdError } from './etcd-client.js';
import type { CheckedEtcd } from './etcd-options.js';
import { NodeKey } from './node-key.js';

/** RegistrationTimes are the times of a registration, in milliseconds. */
export interface RegistrationTimes {
  /** The time to live of the lease. */
  readonly lease: number;
  /** The time between two renewals. */
  readonly renew: number;
  /** The waiting after an attempt at etcd that failed, doubled up to `renew`. */
  readonly retry: number;
  /** The time between two questions to the daemon, and the time limit of each. */
  readonly ask: number;
  readonly askLimit: number;
  /** The silence after which the daemon counts as gone. */
  readonly silence: number;
}

/**
 * RegistrationState is a state of a registration:
 *
 * - `waiting`: the daemon does not respond, and the node is not registered
 * - `registered`: the key exists, under the lease
 * - `retrying`: etcd does not respond, or the key of an earlier process has not expired yet
 * - `expiring`: the lease could not be revoked, so that the key, if it exists, expires with it
 */
export type RegistrationState =
  | { readonly kind: 'registered' }
  | { readonly kind: 'waiting' | 'retrying' | 'expiring'; readonly error: BtfError };

/** RegistrationContext is what a registration works with. */
export interface RegistrationContext {
  readonly etcd: CheckedEtcd;
  readonly name: string;
  /** The value of the key. */
  readonly value: string;
  readonly daemon: Pick<BtfClient, 'serverInfo'>;
  readonly onState: (state: RegistrationState) => void;
  readonly times: RegistrationTimes;
}

/** Errors that waiting does not mend: etcd refuses the caller, or something else holds the key. */
const FINAL: ReadonlySet<status> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.ALREADY_EXISTS,
  status.INVALID_ARGUMENT,
  status.FAILED_PRECONDITION,
  status.UNIMPLEMENTED,
]);

/** Registration is the running registration of a node in etcd. Disposing of it closes it. */
export class Registration implements AsyncDisposable {
  /** Resolves when the registration is closed, and rejects with a BtfError if it cannot continue. */
  readonly ended: Promise<void>;
  readonly #context: RegistrationContext;
  readonly #closing: Bounded;
  #last = '';
  /** Since when the key is that of an earlier process. */
  #heldSince: number | null = null;

  /**
   * The constructor begins the registration. Never throws: `ended` rejects.
   *
   * @param signal closes the registration.
   */
  constructor(context: RegistrationContext, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#closing = new Bounded([signal], Infinity);
    this.ended = this.#run().finally(() => this.#closing[Symbol.dispose]());
    // The caller may look at it later, or not at all.
    this.ended.catch(() => {});
  }

  /** close revokes the lease, which takes up to 5 s if etcd does not respond. Never rejects. Closing again does nothing. */
  async close(): Promise<void> {
    this.#closing.abort(new DOMException('the registration was closed', 'AbortError'));
    await this.ended.catch(() => {});
  }

  /** Closes the registration. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<void> {
    const { etcd, name } = this.#context;
    const { signal } = this.#closing;
    const key = await NodeKey.open(etcd, name);
    try {
      while (await this.#daemonResponds(signal)) {
        using period = new Bounded([signal], Infinity);
        const holding = this.#hold(key, period.signal);
        const silence = this.#daemonIsSilent(period.signal);
        try {
          await Promise.race([holding, silence]);
        } finally {
          period.abort(new DOMException('the daemon does not respond', 'AbortError'));
          await Promise.allSettled([holding, silence]);
        }
      }
    } finally {
      key.close();
    }
  }

  /** Waits until the daemon responds. Returns false if the signal aborts first. */
  async #daemonResponds(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const error = await this.#ask(signal);
      if (error === null) return true;
      if (!signal.aborted) this.#tell({ kind: 'waiting', error });
      await pause(this.#context.times.ask, signal);
    }
    return false;
  }

  /** Waits until the daemon has not responded for some time, or the signal aborts. */
  async #daemonIsSilent(signal: AbortSignal): Promise<void> {
    const { ask, silence } = this.#context.times;
    let respondedAt = performance.now();
    do {
      await pause(ask, signal);
      if ((await this.#ask(signal)) === null) respondedAt = performance.now();
    } while (!signal.aborted && performance.now() - respondedAt < silence);
  }

  /** Returns why the daemon does not respond, or null. */
  async #ask(signal: AbortSignal): Promise<BtfError | null> {
    try {
      await this.#context.daemon.serverInfo({ timeout: this.#context.times.askLimit, signal });
      return null;
    } catch (error) {
      if (BtfError.isBtfError(error)) return error;
      const message = `the daemon was not asked: ${String(error)}`;
      return new BtfError({ code: status.CANCELLED, reason: null, message, cause: error });
    }
  }

  /** Keeps the node registered until the signal aborts, and then revokes the lease. @throws BtfError that is final. */
  async #hold(key: NodeKey, signal: AbortSignal): Promise<void> {
    const { renew, retry } = this.#context.times;
    let failures = 0;
    let registering = Promise.resolve();
    try {
      while (!signal.aborted) {
        try {
          registering = this.#register(key, signal);
          await orAborted(registering, signal);
          failures = 0;
        } catch (error) {
          if (signal.aborted) return;
          if (!BtfError.isBtfError(error) || FINAL.has(error.code)) throw error;
          this.#tell({ kind: 'retrying', error });
          failures += 1;
          await key.reopen();
        }
        const isHeld = failures === 0 && this.#heldSince === null;
        await pause(isHeld ? renew : Math.min(renew, retry * 2 ** Math.max(0, failures - 1)), signal);
      }
    } finally {
      await this.#revoke(key, registering);
    }
  }

  /** Makes sure that the lease and the key exist. A key that was removed meanwhile is created again. */
  async #register(key: NodeKey, signal: AbortSignal): Promise<void> {
    const { value, times } = this.#context;
    await key.keep(times.lease / 1_000);
    if (signal.aborted) return;
    let found = await key.state();
    if (signal.aborted) return;
    if (found.kind === 'absent') found = await key.create(value);
    if (signal.aborted) return;
    if (found.kind !== 'held') {
      this.#heldSince = null;
      this.#tell({ kind: 'registered' });
      return;
    }
    const now = performance.now();
    this.#heldSince ??= now;
    // A process of this node that was killed left it, and it expires. If it does not, another process renews its lease.
    const mayExpire = found.value === value && now - this.#heldSince <= times.lease + times.renew;
    if (!mayExpire) throw found.error;
    this.#tell({ kind: 'retrying', error: found.error });
  }

  /** @param registering - the last attempt, which may still get a lease or create the key */
  async #revoke(key: NodeKey, registering: Promise<void>): Promise<void> {
    const limit = AbortSignal.timeout(CALL_MS);
    try {
      await orAborted(Promise.allSettled([registering]), limit);
      await orAborted(key.revoke(), limit);
    } catch (error) {
      this.#tell({ kind: 'expiring', error: etcdError(error, this.#context.etcd) });
    }
  }

  /** Passes on a state that differs from the last one. */
  #tell(state: RegistrationState): void {
    const text = `${state.kind} ${'error' in state ? state.error.message : ''}`;
    if (text === this.#last) return;
    this.#last = text;
    this.#context.onState(state);
  }
}

/** Waits for some time, or until the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
