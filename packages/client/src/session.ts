import { atMost, type Clock, systemClock } from './base/clock.js';
import { SpecStore } from './btf/spec-store.js';
import { type BtfClientOptions, connectionOptions, credentialsOf } from './call/client-options.js';
import { Connection } from './call/connection.js';
import { type DaemonChange, DaemonPin } from './call/daemon-pin.js';
import { LeaseKeeper } from './lease/lease-keeper.js';
import { serverDetailNumbers, type ServerInfoOptions } from './object/server-detail.js';
import type { ServerInfo } from './object/server-info.js';
import { closeTokens, renewTokens } from './token-calls.js';

/** A daemon in the same network responds within milliseconds. A call that takes this long is lost. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** Closing a client reaches a daemon that responds, and does not wait for one that does not. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Session is the state that a client and its handles share. */
export class Session {
  readonly connection: Connection;
  readonly leases: LeaseKeeper;
  readonly specs: SpecStore;
  /** Observes which run of the daemon responds. */
  readonly daemon: DaemonPin;
  /** The default deadline of unary calls, in milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
  /**
   * The tokens of handles that may have a lease that no handle keeps: their `take()` is in progress, or it has failed
   * and they are not closed yet.
   */
  readonly doubtful = new Set<string>();
  readonly #onDaemonChange: ((change: DaemonChange) => void) | null;

  /** @throws BtfError INVALID_REQUEST for credentials or an address that cannot be used. */
  constructor(address: string, options: BtfClientOptions, clock: Clock = systemClock) {
    const { timeout = DEFAULT_TIMEOUT_MS, onDaemonChange = null } = options;
    const connection = new Connection(address, credentialsOf(options), {
      ...connectionOptions(options),
      clock,
    });
    this.connection = connection;
    this.clock = clock;
    this.timeout = timeout;
    this.#onDaemonChange = onDaemonChange;
    this.specs = new SpecStore(connection, options);
    this.daemon = new DaemonPin((change) => this.#daemonChanged(change));
    this.leases = new LeaseKeeper(
      {
        renew: async (tokens, limits) => renewTokens(connection, tokens, { ...limits, retries: 0 }),
        daemonEpoch: async (limits) => (await this.serverInfo(limits)).daemonEpoch,
      },
      clock,
      timeout,
    );
    connection.watch({ up: () => this.#connected(), down: () => this.leases.hurry() });
  }

  /** Asks the daemon for its info. */
  async serverInfo({ details = [], signal, timeout = this.timeout }: ServerInfoOptions): Promise<ServerInfo> {
    const request = { details: serverDetailNumbers(details) };
    const message = await this.connection.unary('getServerInfo', request, { signal, timeout });
    const { serverInfoFromMessage } = await import('./object/server-info.js');
    const info = serverInfoFromMessage(message);
    this.daemon.observe(info.daemonEpoch, info.bootId);
    return info;
  }

  /** Closes the handles that are open, and then the connection. Never rejects. */
  async close(): Promise<void> {
    const tokens = [...this.leases.stop(), ...this.doubtful];
    const limits = { timeout: CLOSE_TIMEOUT_MS, retries: 0 };
    await closeTokens(this.connection, tokens, limits).catch(() => {});
    await this.connection.close();
    await atMost(this.clock, CLOSE_TIMEOUT_MS, this.specs.settled());
  }

  /** The new connection may lead to another daemon. Without a callback the renewal of the handles finds out. */
  #connected(): void {
    if (this.#onDaemonChange !== null) void this.#askDaemon();
  }

  #daemonChanged(change: DaemonChange): void {
    this.leases.loseOthers(change.current.epoch);
    if (this.#onDaemonChange !== null) void this.#report(change, this.#onDaemonChange);
  }

  async #report({ previous, current }: DaemonChange, report: (change: DaemonChange) => void): Promise<void> {
    const bootId = current.bootId ?? (await this.#askDaemon())?.bootId ?? null;
    // In a microtask of its own: an error of the callback is the program's, as with any event.
    queueMicrotask(() => report({ previous, current: { ...current, bootId } }));
  }

  /** Returns null if the daemon does not respond. */
  async #askDaemon(): Promise<ServerInfo | null> {
    return this.serverInfo({}).catch(() => null);
  }
}
