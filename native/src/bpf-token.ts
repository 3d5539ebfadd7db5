import { closeSync } from 'node:fs';

import { addon } from './addon.js';
import { checkInteger, MAX_FD } from './arguments.js';
import { BpfError } from './errors.js';

/** The number of no token, in calls of the addon. */
const NO_TOKEN = -1;

/**
 * BpfToken is a BPF token: the right to use some commands of bpf(2) with the capabilities of a user namespace instead of
 * those of the initial one. Its file descriptor is close-on-exec and never 0.
 *
 * Close it after the last call that uses it has ended. The garbage collector does not.
 */
export class BpfToken {
  #fd: number;

  /** @param fd - the file descriptor, which the token owns from now on */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** fd is the number of the file descriptor, or -1 after `close`. */
  get fd(): number {
    return this.#fd;
  }

  /** close releases the token. It returns true if this call did so, and false if it was closed before. */
  close(): boolean {
    if (this.#fd === NO_TOKEN) return false;
    closeSync(this.#fd);
    this.#fd = NO_TOKEN;
    return true;
  }

  /** Closes the file descriptor. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * tokenCreate returns a BPF token with the commands that a bpffs delegates. Needs CAP_BPF in the user namespace of the
 * bpffs, which must also be that of the caller, and not the initial one. Modelled on `BPF_TOKEN_CREATE` (Linux 6.9) and the
 * tokens of cilium/ebpf.
 *
 * @param bpffsFd - a file descriptor of the top folder of the bpffs, not opened with O_PATH
 * @throws BpfError `EINVAL` if the folder is not the top of a bpffs, and before Linux 6.9.
 * @throws BpfError `ENOENT` if the bpffs delegates nothing.
 * @throws BpfError `EPERM` without CAP_BPF, and if the bpffs belongs to another user namespace.
 * @throws BpfError `EACCES` if the caller may not enter the folder.
 * @throws BpfError `ENOTSUP` in the initial user namespace.
 * @throws BpfError `EBADF` if the file descriptor is not open, and `EMFILE` or `ENFILE` if there are none left.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `bpffsFd` is not a number of a file descriptor.
 */
export function tokenCreate(bpffsFd: number): BpfToken {
  checkInteger('bpffsFd', bpffsFd, 0, MAX_FD);
  const fd = addon().tokenCreate(bpffsFd);
  if (fd < 0) throw new BpfError('BPF_TOKEN_CREATE', -fd, `fd ${bpffsFd}`, null);
  return new BpfToken(fd);
}

/**
 * tokenFd returns the number of a token for a call of the addon.
 *
 * @throws RangeError if the token is closed: the addon would make the call without one.
 */
export function tokenFd(token: BpfToken | null): number {
  if (token === null) return NO_TOKEN;
  if (token.fd === NO_TOKEN) throw new RangeError('token must be open, but it is closed');
  return token.fd;
}
