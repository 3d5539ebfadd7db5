import { addon } from './addon.js';
import { checkInteger } from './arguments.js';
import { SystemCallError } from './errors.js';

/**
 * SocketPeer is the process at the other end of a unix socket, as the kernel recorded it when the process connected, or
 * when it listened if this end connected. A user or group that does not exist in this user namespace has the number in
 * `/proc/sys/kernel/overflowuid` or `overflowgid`, usually 65534.
 */
export interface SocketPeer {
  /** 0 if the process is not in this pid namespace. The process may have ended, and its number may be in use again. */
  readonly pid: number;
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
  /** The supplementary groups, which may include the primary one. */
  readonly groups: readonly number[];
}

const MAX_INT32 = 0x7fff_ffff;

/**
 * socketPeer returns the peer of a connected unix socket, from `SO_PEERCRED` and `SO_PEERGROUPS` of getsockopt(2). Since
 * Linux 4.13. Needs no privilege.
 *
 * @throws SystemCallError `EBADF` if the file descriptor is not open.
 * @throws SystemCallError `ENOTSOCK` if it is not a socket.
 * @throws SystemCallError `ENODATA` or `EOPNOTSUPP` if the socket has no such peer.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `fd` is not an integer from 0 to 2^31 - 1.
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
