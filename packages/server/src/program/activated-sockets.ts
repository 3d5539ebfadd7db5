import type { SocketInfo } from '@btfd/native';
import { errorMessage } from '../error/error-code.js';
import type { Address } from '../base/address.js';

/** The first file descriptor that is passed, as in sd_listen_fds(3). */
const FIRST_FD = 3;
/** A service has a few; what claims more is no list of sockets. */
const MAX_SOCKETS = 64;

/**
 * takeActivatedSockets gives the sockets that systemd (or who speaks as it does) passed to this process to listen on.
 * Takes the variables that tell of them out of the environment.
 *
 * @throws Error if something other than a listening stream socket was passed.
 */
export function takeActivatedSockets(
  env: NodeJS.ProcessEnv,
  pid: number,
  socketInfo: (fd: number) => SocketInfo,
): Address[] {
  const { LISTEN_PID: owner, LISTEN_FDS: count, LISTEN_FDNAMES: names } = env;
  for (const variable of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[variable];
  // What a parent was given, and left in the environment, is not for this process.
  if (count === undefined || owner !== String(pid)) return [];
  if (!/^\d{1,3}$/.test(count) || Number(count) > MAX_SOCKETS) {
    throw new Error(`LISTEN_FDS=${count} is no number from 0 to ${MAX_SOCKETS}`);
  }
  const nameOf = names?.split(':') ?? [];
  return Array.from({ length: Number(count) }, (_, index) => {
    const fd = FIRST_FD + index;
    const name = nameOf[index];
    const what = `the passed socket ${fd}${name === undefined || name === '' ? '' : ` (${name})`}`;
    return addressOf(fd, what, socketInfo);
  });
}

function addressOf(fd: number, what: string, socketInfo: (fd: number) => SocketInfo): Address {
  const { family, isListening, host, port } = infoOf(fd, what, socketInfo);
  if (!isListening) throw new Error(`${what} accepts no streams: it needs ListenStream=, and Accept=no`);
  if (family === 'inet') return { kind: 'tcp', host, port, fd };
  if (family === 'unix' && host.startsWith('/')) return { kind: 'unix', path: host, fd };
  if (family === 'unix') throw new Error(`${what} has no path: who may connect to it could not be told`);
  throw new Error(`${what} is neither a unix socket nor one of TCP`);
}

function infoOf(fd: number, what: string, socketInfo: (fd: number) => SocketInfo): SocketInfo {
  try {
    return socketInfo(fd);
  } catch (cause) {
    throw new Error(`${what} is no socket: ${errorMessage(cause)}`, {
      cause,
    });
  }
}
