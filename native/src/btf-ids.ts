import { constants } from 'node:os';

import { addon } from './addon.js';
import { checkInteger, MAX_UINT32 } from './arguments.js';
import { tokenFd, type BpfToken } from './bpf-token.js';
import { wrapBtfFd, type BtfFd } from './btf-fd.js';
import { BpfError, type BpfCommand } from './errors.js';

/**
 * btfGetFdById opens the BTF object with an id. Needs CAP_SYS_ADMIN, in the initial user namespace or in that of a token.
 * Modelled on `BPF_BTF_GET_FD_BY_ID` (Linux 4.18) and `btf.NewHandleFromID` of cilium/ebpf.
 *
 * @param token - the BPF token to use (Linux 6.15), or null for none
 * @throws BpfError `ENOENT` if no object has the id.
 * @throws BpfError `EPERM` without CAP_SYS_ADMIN, and if the token does not have the command.
 * @throws BpfError `EINVAL` if the kernel takes no token for this command.
 * @throws BpfError `EMFILE` or `ENFILE` if there are no file descriptors left.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `id` is not an unsigned 32-bit integer.
 */
export function btfGetFdById(id: number, token: BpfToken | null = null): BtfFd {
  checkInteger('id', id, 0, MAX_UINT32);
  const fd = addon().btfGetFdById(id, tokenFd(token));
  if (fd < 0) throw new BpfError('BPF_BTF_GET_FD_BY_ID', -fd, `id ${id}`, null);
  return wrapBtfFd(fd);
}

/**
 * btfGetNextId returns the smallest BTF id above `after`, or null if there is none. Start with 0. The object may be gone
 * before you use its id. Needs CAP_SYS_ADMIN. Modelled on `BPF_BTF_GET_NEXT_ID` (Linux 5.4) and `btf.HandleIterator` of
 * cilium/ebpf.
 *
 * @throws BpfError `EPERM` without CAP_SYS_ADMIN.
 * @throws BpfError `EINVAL` if `after` is 2^31 - 1 or more, which no id reaches.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `after` is not an unsigned 32-bit integer.
 */
export function btfGetNextId(after: number): number | null {
  return nextId('BPF_BTF_GET_NEXT_ID', after, (id) => addon().btfGetNextId(id));
}

/** nextId returns the id that a command reports for `after`, or null at the end of the kernel's list. */
export function nextId(command: BpfCommand, after: number, call: (after: number) => number): number | null {
  checkInteger('after', after, 0, MAX_UINT32);
  const next = call(after);
  if (next === -constants.errno.ENOENT) return null;
  if (next < 0) throw new BpfError(command, -next, `ids after ${after}`, null);
  return next;
}
