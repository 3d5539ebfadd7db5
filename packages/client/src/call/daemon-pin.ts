/** DaemonIdentity tells one run of a daemon from another. */
export interface DaemonIdentity {
  /** The run of the daemon: handles of different runs have nothing in common. */
  readonly epoch: string;
  /** The kernel's boot id: BTF ids of different boots have nothing in common. Null where it is not known. */
  readonly bootId: string | null;
}

/** DaemonChange tells that another daemon answers than before: restarted, on a kernel booted anew, or elsewhere. */
export interface DaemonChange {
  readonly previous: DaemonIdentity;
  readonly current: DaemonIdentity;
}

/** DaemonPin remembers which daemon answers, from what answers tell. */
export class DaemonPin {
  readonly #changed: (change: DaemonChange) => void;
  #current: DaemonIdentity | null = null;

  /** @param changed told of each change, once. */
  constructor(changed: (change: DaemonChange) => void) {
    this.#changed = changed;
  }

  /** Takes note of an answer. */
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
