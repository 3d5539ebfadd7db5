/** DaemonIdentity identifies a run of a daemon. */
export interface DaemonIdentity {
  /** The id of the run. A handle is valid only in the run that opened it. */
  readonly epoch: string;
  /** The kernel's boot id; null if it is not known. BTF ids are valid only within one boot. */
  readonly bootId: string | null;
}

/** DaemonChange reports that the daemon was restarted, with its machine or without, or that another one took its place. */
export interface DaemonChange {
  readonly previous: DaemonIdentity;
  readonly current: DaemonIdentity;
}

/** DaemonPin remembers the run of the daemon that sent the responses. */
export class DaemonPin {
  readonly #changed: (change: DaemonChange) => void;
  #current: DaemonIdentity | null = null;

  /** @param changed called once for each change. */
  constructor(changed: (change: DaemonChange) => void) {
    this.#changed = changed;
  }

  /** Takes note of the epoch, and perhaps the boot id, in a response. */
  observe(epoch: string, bootId: string | null = null): void {
    const previous = this.#current;
    if (epoch === '') return;
    if (previous?.epoch === epoch) {
      if (bootId !== null) this.#current = { epoch, bootId };
      return;
    }
    const current = { epoch, bootId };
    this.#current = current;
    if (previous !== null) this.#changed({ previous, current });
  }
}
