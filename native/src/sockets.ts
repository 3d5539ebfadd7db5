import { addon } from './addon.js';
import { checkInteger, checkString, MAX_FD } from './arguments.js';
import { SystemCallError } from './errors.js';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/** SocketInfo describes an inherited socket. */
export interface SocketInfo {
  readonly family: 'unix' | 'inet' | 'other';
  /** Whether it is a stream socket that listens. */
  readonly isListening: boolean;
  /** The path of a unix socket, `@` and an abstract name, '' for a socket without a name, or an IP address. */
  readonly host: string;
  /** 0 for unix sockets. */
  readonly port: number;
}

/**
 * socketInfo returns the family and the local address of the socket with a file descriptor, from getsockopt(2) and
 * getsockname(2). Needs no privilege.
 *
 * @throws SystemCallError `EBADF` if the file descriptor is not open.
 * @throws SystemCallError `ENOTSOCK` if it is not a socket.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `fd` is not an integer from 0 to 2^31 - 1.
 */
export function socketInfo(fd: number): SocketInfo {
  checkInteger('fd', fd, 0, MAX_FD);
  const info = addon().socketInfo(fd);
  if (typeof info === 'number') throw new SystemCallError('getsockopt', `fd ${fd}`, -info);
  const { family, isListening, host, port } = info;
  return { family: familyOf(family), isListening, host, port };
}

function familyOf(family: number): SocketInfo['family'] {
  if (family === AF_UNIX) return 'unix';
  return family === AF_INET || family === AF_INET6 ? 'inet' : 'other';
}

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
  checkInteger('fd', fd, 0, MAX_FD);
  const credentials = addon().peerCredentials(fd);
  if (typeof credentials === 'number')
    throw new SystemCallError('getsockopt SO_PEERCRED', `fd ${fd}`, -credentials);
  const groups = addon().peerGroups(fd);
  if (typeof groups === 'number') throw new SystemCallError('getsockopt SO_PEERGROUPS', `fd ${fd}`, -groups);
  return { ...credentials, groups };
}

/**
 * hasUnreceived returns whether data waits for the peer of a connected unix socket, from `SIOCOUTQ` of ioctl(2). File
 * descriptors that were sent with it wait too. It returns false after the peer has closed the connection. Needs no
 * privilege.
 *
 * @throws SystemCallError `EBADF` if the file descriptor is not open.
 * @throws SystemCallError `ENOTTY` if it is not a socket.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if `fd` is not an integer from 0 to 2^31 - 1.
 */
export function hasUnreceived(fd: number): boolean {
  checkInteger('fd', fd, 0, MAX_FD);
  const bytes = addon().unreceived(fd);
  if (bytes < 0) throw new SystemCallError('ioctl SIOCOUTQ', `fd ${fd}`, -bytes);
  return bytes > 0;
}

/**
 * notify sends one datagram to a unix socket, as services do that report their state to systemd. It never waits. Needs
 * no privilege, only permission to write to the socket. Modelled on sd_notify(3).
 *
 * @param address - a path, or `@` and a name in the abstract namespace
 * @throws SystemCallError `ENOENT` or `ECONNREFUSED` if nobody listens at the address.
 * @throws SystemCallError `EACCES` if the socket may not be written to.
 * @throws SystemCallError `EAGAIN` if the socket is full.
 * @throws SystemCallError `EPROTOTYPE` if it is not a datagram socket.
 * @throws SystemCallError `ENAMETOOLONG` if the address is too long.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError if an argument is not a string.
 */
export function notify(address: string, text: string): void {
  checkString('address', address);
  checkString('text', text);
  const result = addon().notify(address, text);
  if (result < 0) throw new SystemCallError('sendto', JSON.stringify(address), -result);
}
