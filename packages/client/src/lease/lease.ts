import type { BtfError } from '../error/btf-error.js';

/** Lease is a handle's claim on its object. Only the handle references it, so both become garbage together. */
export class Lease {
  readonly token: string;
  /** The run of the daemon that granted it. */
  readonly daemonEpoch: string;
  /** The granted TTL in milliseconds. */
  readonly grantedTtl: number;
  /** When it was requested, by the client's clock. The daemon granted it no earlier. */
  readonly askedAt: number;
  readonly #lost = new AbortController();

  constructor(token: string, daemonEpoch: string, grantedTtl: number, askedAt: number) {
    this.token = token;
    this.daemonEpoch = daemonEpoch;
    this.grantedTtl = grantedTtl;
    this.askedAt = askedAt;
  }

  /** Aborts when the lease is lost, with a {@link BtfError} as its reason. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  lose(error: BtfError): void {
    this.#lost.abort(error);
  }
}
