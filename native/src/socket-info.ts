import { addon } from './addon.js';
import { checkInteger } from './arguments.js';
import { SystemCallError } from './errors.js';

const MAX_FD = 0x7fff_ffff;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/** SocketInfo is what the kernel tells of a socket that was inherited. */
export interface SocketInfo {
  readonly family: 'unix' | 'inet' | 'other';
  /** Whether it is a stream socket on which listen(2) was called. */
  readonly isListening: boolean;
  /** The path of a unix socket, an abstract name after `@`, '' for one without a name; else an IP address. */
  readonly host: string;
  /** 0 for unix sockets. */
  readonly port: number;
}

/**
 * socketInfo tells what a file descriptor is a socket of.
 *
 * @throws SystemCallError: `EBADF`, `ENOTSOCK`
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
