import type { BtfError } from '../error/btf-error.js';

/** Lease is a handle's claim on its object. Its handle alone holds it: with the handle it becomes garbage. */
export class Lease {
  readonly token: string;
  /** The run of the daemon that gave it. */
  readonly daemonEpoch: string;
  /** The TTL granted, in milliseconds. */
  readonly grantedTtl: number;
  /** When it was asked for, by the client's clock: the daemon granted it no earlier. */
  readonly askedAt: number;
  readonly #lost = new AbortController();

  constructor(token: string, daemonEpoch: string, grantedTtl: number, askedAt: number) {
    this.token = token;
    this.daemonEpoch = daemonEpoch;
    this.grantedTtl = grantedTtl;
    this.askedAt = askedAt;
  }

  /** Aborts, with a {@link BtfError} as reason, when the lease is lost. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  lose(error: BtfError): void {
    this.#lost.abort(error);
  }
}
