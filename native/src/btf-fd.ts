import type { NativeBtfFd, OrErrno } from './addon.js';
import { BpfError, BtfFdClosedError } from './errors.js';

/** BtfInfo is what the kernel tells of a BTF object. */
export interface BtfInfo {
  /** The BTF id. Newer kernels say 0 for a module's object that is held after the module went. */
  readonly id: number;
  /** `vmlinux`, a module's name, or empty for a user's object (and for any before Linux 5.11). */
  readonly name: string;
  /** Whether the object is of the kernel: vmlinux or a module. False before Linux 5.11. */
  readonly kernelBtf: boolean;
  /** Bytes of raw BTF. */
  readonly size: number;
}

/** wrapBtfFd makes a {@link BtfFd} of the addon's object. */
export let wrapBtfFd: (native: NativeBtfFd) => BtfFd;

/**
 * BtfFd holds a BTF object of the kernel open by a file descriptor, which is close-on-exec and never 0.
 *
 * Close it: the garbage collector does so only as a safety net, late, and counts it in {@link fdStats}. An open one
 * keeps neither the event loop nor the process alive. It belongs to the thread that made it.
 */
export class BtfFd {
  readonly #native: NativeBtfFd;

  static {
    wrapBtfFd = (native) => new BtfFd(native);
  }

  private constructor(native: NativeBtfFd) {
    this.#native = native;
  }

  /** fd is the descriptor's number, -1 once closed. It stays this object's: don't close it elsewhere. */
  get fd(): number {
    return this.#native.fd;
  }

  /**
   * info asks the kernel anew, on this thread: microseconds, no BTF data is fetched.
   *
   * @throws BtfFdClosedError, BpfError
   */
  info(): BtfInfo {
    this.#checkOpen('info');
    const info = this.#native.info();
    if (typeof info === 'number') throw this.#infoError(info);
    return info;
  }

  /**
   * read fetches the whole raw BTF, on libuv's pool. A `close` meanwhile doesn't disturb it: the descriptor then
   * stays open until the read is done.
   *
   * @throws BtfFdClosedError, BpfError
   */
  async read(): Promise<Uint8Array> {
    this.#checkOpen('read');
    const bytes = await new Promise<OrErrno<Uint8Array>>((resolve) => this.#native.read(resolve));
    if (typeof bytes === 'number') throw this.#infoError(bytes);
    return bytes;
  }

  /**
   * dup opens the same BTF object a second time, to be closed on its own.
   *
   * @throws BtfFdClosedError, or BpfError with `EMFILE`
   */
  dup(): BtfFd {
    this.#checkOpen('dup');
    const copy = this.#native.dup();
    if (typeof copy === 'number') throw new BpfError('dup', -copy, `fd ${this.fd}`, null);
    return new BtfFd(copy);
  }

  /** close lets go of the object. True where this call did it, false where it was closed before. */
  close(): boolean {
    return this.#native.close();
  }

  /** Closes the file descriptor. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(method: string): void {
    if (this.fd === -1) throw new BtfFdClosedError(method);
  }

  #infoError(result: number): BpfError {
    return new BpfError('BPF_OBJ_GET_INFO_BY_FD', -result, `fd ${this.fd}`, null);
  }
}
