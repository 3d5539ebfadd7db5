import { addon, type Fd } from './addon.js';
import { checkInteger, checkString, MAX_FD } from './arguments.js';
import { BpfError, BtfFdClosedError, SystemCallError } from './errors.js';

/** BtfInfo describes a BTF object, as `BPF_OBJ_GET_INFO_BY_FD` does. */
export interface BtfInfo {
  /** The BTF id. Newer kernels return 0 for the object of a module that was unloaded while the object is held. */
  readonly id: number;
  /** `vmlinux`, the name of a module, or empty for a user's object (and for all objects before Linux 5.11). */
  readonly name: string;
  /** Whether the object belongs to the kernel: vmlinux or a module. False before Linux 5.11. */
  readonly kernelBtf: boolean;
  /** Size of the raw BTF in bytes. */
  readonly size: number;
}

/** wrapBtfFd returns a {@link BtfFd} that owns a file descriptor of the addon. */
export let wrapBtfFd: (fd: Fd) => BtfFd;

/** The file descriptor of {@link BtfFd}s that are closed. */
const CLOSED = -1;

/** Closes the file descriptors of objects that nobody closed before the garbage collector freed them. */
const forgotten = new FinalizationRegistry<Fd>((fd) => addon().btfCloseForgotten(fd));

/**
 * BtfFd holds a BTF object of the kernel open by a file descriptor, which is close-on-exec and never 0. Modelled on
 * `btf.Handle` of cilium/ebpf.
 *
 * Close it. The garbage collector closes it only late, as a safety net, and counts it in {@link fdStats}. An open BtfFd
 * does not keep the event loop or the process alive. It belongs to the thread that created it.
 */
export class BtfFd {
  #fd: Fd;

  static {
    wrapBtfFd = (fd) => new BtfFd(fd);
  }

  private constructor(fd: Fd) {
    this.#fd = fd;
    forgotten.register(this, fd, this);
  }

  /** fd is the number of the file descriptor, or -1 after `close`. This object owns it: do not close it elsewhere. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * info returns what the kernel currently reports about the object. It runs on the calling thread, takes microseconds
   * and fetches no BTF data. Needs no privilege. Modelled on `btf.Handle.Info` of cilium/ebpf.
   *
   * @throws BtfFdClosedError after `close`.
   * @throws BpfError if the kernel refuses.
   */
  info(): BtfInfo {
    this.#checkOpen('info');
    const info = addon().btfInfo(this.#fd);
    if (typeof info === 'number') throw this.#infoError(info);
    return info;
  }

  /**
   * read returns the whole raw BTF, which it fetches on libuv's thread pool. A `close` meanwhile does not disturb it:
   * the file descriptor stays open until the read is done. Needs no privilege.
   *
   * @param memory - `shared` for bytes over a SharedArrayBuffer, which worker threads get without a copy
   * @throws BtfFdClosedError after `close`.
   * @throws BpfError if the kernel refuses.
   */
  async read(memory: 'own' | 'shared' = 'own'): Promise<Uint8Array> {
    this.#checkOpen('read');
    const info = addon().btfInfo(this.#fd);
    if (typeof info === 'number') throw this.#infoError(info);
    const buffer = memory === 'shared' ? new SharedArrayBuffer(info.size) : new ArrayBuffer(info.size);
    const bytes = new Uint8Array(buffer);
    const result = await new Promise<number>((resolve) => addon().btfRead(this.#fd, bytes, resolve));
    if (result < 0) throw this.#infoError(result);
    return bytes;
  }

  /**
   * send sends a text with a copy of the file descriptor over a connected unix socket, as `SCM_RIGHTS` of unix(7). It never
   * waits. The receiver's copy stays open when this one is closed. Needs no privilege.
   *
   * @param socket - the file descriptor of the socket
   * @param text - at least one character
   * @throws BtfFdClosedError after `close`.
   * @throws SystemCallError `EAGAIN` if the socket is full.
   * @throws SystemCallError `EPIPE` if the peer has closed the connection.
   * @throws SystemCallError `ETOOMANYREFS` if too many file descriptors of this user wait for their receivers.
   * @throws TypeError or RangeError if `socket` is not an integer from 0 to 2^31 - 1, or `text` is not a string or empty.
   */
  send(socket: number, text: string): void {
    this.#checkOpen('send');
    checkInteger('socket', socket, 0, MAX_FD);
    checkString('text', text);
    if (text === '') throw new RangeError('text must have at least one character');
    const result = addon().btfSend(this.#fd, socket, text);
    if (result < 0) throw new SystemCallError('sendmsg', `fd ${socket}`, -result);
  }

  /**
   * dup returns a second BtfFd of the same BTF object, which has to be closed separately. Needs no privilege.
   *
   * @throws BtfFdClosedError after `close`.
   * @throws BpfError `EMFILE` if there are no file descriptors left.
   */
  dup(): BtfFd {
    this.#checkOpen('dup');
    const copy = addon().btfDup(this.#fd);
    if (copy < 0) throw new BpfError('dup', -copy, `fd ${this.fd}`, null);
    return new BtfFd(copy);
  }

  /** close releases the object. It returns true if this call did so, and false if it was closed before. Never throws. */
  close(): boolean {
    if (this.#fd === CLOSED) return false;
    forgotten.unregister(this);
    addon().btfClose(this.#fd);
    this.#fd = CLOSED;
    return true;
  }

  /** Closes the file descriptor. Never throws. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(method: string): void {
    if (this.#fd === CLOSED) throw new BtfFdClosedError(method);
  }

  #infoError(result: number): BpfError {
    return new BpfError('BPF_OBJ_GET_INFO_BY_FD', -result, `fd ${this.fd}`, null);
  }
}

/** FdStats counts the file descriptors of {@link BtfFd}s, for metrics and for tests that look for leaks. */
export interface FdStats {
  /** Number of open file descriptors. One that was closed during a read counts until the read is done. */
  readonly open: number;
  /** Number of file descriptors that the garbage collector closed. Each is a bug in the program. */
  readonly closedByFinalizer: number;
}

/**
 * fdStats returns the counts of the calling thread: the main thread and each worker have their own. Needs no privilege.
 *
 * @throws BpfUnavailableError if the addon cannot be loaded.
 */
export function fdStats(): FdStats {
  return addon().fdStats();
}
