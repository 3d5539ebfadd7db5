import type { Socket } from 'node:net';
import { socketPeer } from '@btfd/native';
import { errorMessage } from '../error/error-code.js';
import type { UnixPeer, UnknownPeer } from './peer.js';

/** unixPeer asks the kernel who connected to a unix socket. Who can't be told is nobody. */
export function unixPeer(socket: Socket, socketGid: number): UnixPeer | UnknownPeer {
  try {
    const { pid, uid, gid, groups } = socketPeer(fdOf(socket));
    return { kind: 'unix', pid, uid, gids: [...new Set([gid, ...groups])], socketGid };
  } catch (error) {
    const why = errorMessage(error);
    return { kind: 'unknown', why: `the kernel does not say who connected: ${why}` };
  }
}

/** Node keeps the file descriptor of a socket to itself (v20). */
function fdOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle === 'object' && handle !== null && 'fd' in handle && typeof handle.fd === 'number') {
    return handle.fd;
  }
  throw new Error('the connection has no file descriptor');
}
