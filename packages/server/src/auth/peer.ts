import { socketPeer } from '@btfd/native';
import { errorMessage } from '../error/error-code.js';

/** Peer is the other end of a connection, as far as the connection proves it. */
export type Peer = UnixPeer | TlsPeer | AnonymousPeer | UnknownPeer;

/** UnixPeer is a process that connected to a unix socket. The kernel names it. */
export interface UnixPeer {
  readonly kind: 'unix';
  readonly pid: number;
  readonly uid: number;
  /** The primary group and the supplementary ones. */
  readonly gids: readonly number[];
  /** The group of the socket. */
  readonly socketGid: number;
}

/** TlsPeer is the holder of a certificate that a trusted authority signed. */
export interface TlsPeer {
  readonly kind: 'tls';
  /** The names in the certificate as principals: `uri:…` in the certificate's order, then `dns:…`. */
  readonly names: readonly string[];
  /** The common name as a principal, or null. It counts only if the policy says so. */
  readonly commonName: string | null;
  /** When the certificate expires, in milliseconds since 1970. */
  readonly validUntil: number;
}

/** AnonymousPeer is any process that connected to loopback TCP without TLS. */
export interface AnonymousPeer {
  readonly kind: 'anonymous';
}

/** UnknownPeer is a peer that proved nothing, or sent a certificate that is not valid. */
export interface UnknownPeer {
  readonly kind: 'unknown';
  /** The error message for its calls. */
  readonly why: string;
}

/**
 * unixPeer asks the kernel who connected to a unix socket. It returns an unknown peer if the kernel does not say.
 *
 * @param fd - the file descriptor of the connection; null if it has none
 */
export function unixPeer(fd: number | null, socketGid: number): UnixPeer | UnknownPeer {
  try {
    if (fd === null) throw new Error('the connection has no file descriptor');
    const { pid, uid, gid, groups } = socketPeer(fd);
    return { kind: 'unix', pid, uid, gids: [...new Set([gid, ...groups])], socketGid };
  } catch (error) {
    const why = errorMessage(error);
    return { kind: 'unknown', why: `the kernel does not say who connected: ${why}` };
  }
}
