import type { Clock } from './base/clock.js';
import type { Connection } from './call/connection.js';
import type { DaemonPin } from './call/daemon-pin.js';
import type { LeaseKeeper } from './lease/lease-keeper.js';
import type { SpecStore } from './btf/spec-store.js';

/** Session is what the handles of one client share. */
export interface Session {
  readonly connection: Connection;
  readonly leases: LeaseKeeper;
  readonly specs: SpecStore;
  /** Told of the daemon that answers. */
  readonly daemon: DaemonPin;
  /** The default deadline of unary calls, in milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
  /**
   * Tokens of handles that may have a lease which no handle keeps: their taking is under way, or has failed and they
   * are not closed yet.
   */
  readonly doubtful: Set<string>;
}
