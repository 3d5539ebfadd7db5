import type { SocketInfo } from '@btfd/native';
import { errorMessage } from '../error/error-code.js';
import type { Address, UnixAddress } from '../base/address.js';

/** The first file descriptor that is passed, as in sd_listen_fds(3). */
const FIRST_FD = 3;
/** A service has a few sockets. A larger number is a mistake. */
const MAX_SOCKETS = 64;

/** The name of the socket for file descriptors, as `FileDescriptorName=` of its unit. */
const FD_SOCKET_NAME = 'fd';

/** ActivatedSockets are the sockets that a service manager passed. */
export interface ActivatedSockets {
  readonly addresses: readonly Address[];
  /** The socket named `fd`, for requests of file descriptors; null if there is none. */
  readonly fdSocket: UnixAddress | null;
}

/**
 * takeActivatedSockets returns the listening sockets that systemd, or a service manager with the same protocol, passed to
 * this process. It removes the variables of the protocol from the environment.
 *
 * Modelled on sd_listen_fds(3).
 *
 * @throws Error if something other than a listening stream socket was passed.
 */
export function takeActivatedSockets(
  env: NodeJS.ProcessEnv,
  pid: number,
  socketInfo: (fd: number) => SocketInfo,
): ActivatedSockets {
  const { LISTEN_PID: owner, LISTEN_FDS: count, LISTEN_FDNAMES: names } = env;
  for (const variable of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[variable];
  // Variables left over from a parent are not for this process.
  if (count === undefined || owner !== String(pid)) return { addresses: [], fdSocket: null };
  if (!/^\d{1,3}$/.test(count) || Number(count) > MAX_SOCKETS) {
    throw new Error(`LISTEN_FDS=${count} is not a number between 0 and ${MAX_SOCKETS}`);
  }
  const nameOf = names?.split(':') ?? [];
  const addresses: Address[] = [];
  let fdSocket: UnixAddress | null = null;
  for (let index = 0; index < Number(count); index += 1) {
    const fd = FIRST_FD + index;
    const name = nameOf[index];
    const what = `the passed socket ${fd}${name === undefined || name === '' ? '' : ` (${name})`}`;
    const address = addressOf(fd, what, socketInfo);
    if (name !== FD_SOCKET_NAME) addresses.push(address);
    else if (address.kind !== 'unix') throw new Error(`${what} is not a unix socket`);
    else if (fdSocket !== null) throw new Error(`${what} is a second socket for file descriptors`);
    else fdSocket = address;
  }
  return { addresses, fdSocket };
}

function addressOf(fd: number, what: string, socketInfo: (fd: number) => SocketInfo): Address {
  const { family, isListening, host, port } = infoOf(fd, what, socketInfo);
  if (!isListening) throw new Error(`${what} does not accept streams: use ListenStream= and Accept=no`);
  if (family === 'inet') return { kind: 'tcp', host, port, fd };
  if (family === 'unix' && host.startsWith('/')) return { kind: 'unix', path: host, fd };
  if (family === 'unix')
    throw new Error(`${what} has no path, so it is unknown who may connect: use a path in ListenStream=`);
  throw new Error(`${what} is neither a unix socket nor a TCP socket`);
}

function infoOf(fd: number, what: string, socketInfo: (fd: number) => SocketInfo): SocketInfo {
  try {
    return socketInfo(fd);
  } catch (cause) {
    throw new Error(`${what} is not a socket: ${errorMessage(cause)}`, { cause });
  }
}
