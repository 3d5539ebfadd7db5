import { addon } from './addon.js';
import { checkInteger } from './arguments.js';
import { SystemCallError } from './errors.js';

/**
 * SocketPeer is the process at the other end of a unix socket, as the kernel noted it when the process connected (or
 * listened, where this end connected). What belongs to another user namespace and has no number in this one reads as
 * 65534, or whatever `/proc/sys/kernel/overflowuid` says.
 */
export interface SocketPeer {
  /** 0 where this pid namespace doesn't have the process. It may have ended, and its number been used again. */
  readonly pid: number;
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
  /** The supplementary groups, which may have the primary one. */
  readonly groups: readonly number[];
}

const MAX_INT32 = 0x7fff_ffff;

/**
 * socketPeer asks the kernel for the peer of a connected unix socket (`SO_PEERCRED`, and `SO_PEERGROUPS` of Linux 4.13).
 * Needs no privilege.
 *
 * @throws SystemCallError: `ENOTSOCK`, `EBADF`; `ENODATA` or `EOPNOTSUPP` for a socket without such a peer
 */
export function socketPeer(fd: number): SocketPeer {
  checkInteger('fd', fd, 0, MAX_INT32);
  const credentials = addon().peerCredentials(fd);
  if (typeof credentials === 'number')
    throw new SystemCallError('getsockopt SO_PEERCRED', `fd ${fd}`, -credentials);
  const groups = addon().peerGroups(fd);
  if (typeof groups === 'number') throw new SystemCallError('getsockopt SO_PEERGROUPS', `fd ${fd}`, -groups);
  return { ...credentials, groups };
}
