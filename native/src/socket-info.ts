import { addon } from './addon.js';
import { checkInteger } from './arguments.js';
import { SystemCallError } from './errors.js';

const MAX_FD = 0x7fff_ffff;
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
