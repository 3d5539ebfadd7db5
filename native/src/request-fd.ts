import { addon } from './addon.js';
import { checkInteger, checkString, MAX_UINT32 } from './arguments.js';
import { wrapBtfFd, type BtfFd } from './btf-fd.js';
import { SystemCallError } from './errors.js';

/** RequestFdOptions bound a request. */
export interface RequestFdOptions {
  /** Maximum size of the reply in bytes. Default: 4096. */
  readonly maxSize?: number;
  /** The longest wait for the peer, for each of connecting, sending and receiving, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
}

/** FdReply is one line from a peer, and the file descriptor that came with it, or null. */
export interface FdReply {
  /** The text, with the newline if the peer sent one. */
  readonly text: string;
  /** Owned by the caller, who must close it. Nothing says that it is one of BTF before `info` succeeds. */
  readonly fd: BtfFd | null;
}

/**
 * requestFd connects to a unix socket, sends a text, and receives one line with at most one file descriptor (`SCM_RIGHTS`
 * of unix(7)), on libuv's thread pool. Needs no privilege, only permission to connect.
 *
 * @param path - the path of the socket
 * @throws SystemCallError `ENOENT` or `ECONNREFUSED` if nobody listens at the path.
 * @throws SystemCallError `EACCES` if the process may not connect.
 * @throws SystemCallError `EAGAIN` if the peer takes too long.
 * @throws SystemCallError `EMSGSIZE` if the peer sends more than that.
 * @throws SystemCallError `EMFILE` if there are no file descriptors left.
 * @throws BpfUnavailableError if the addon cannot be loaded.
 * @throws TypeError or RangeError if an argument is invalid.
 */
export async function requestFd(
  path: string,
  request: string,
  { maxSize = 4096, timeoutMs = 10_000 }: RequestFdOptions = {},
): Promise<FdReply> {
  checkString('path', path);
  checkString('request', request);
  checkInteger('maxSize', maxSize, 1, MAX_UINT32);
  checkInteger('timeoutMs', timeoutMs, 1, MAX_UINT32);
  const native = addon();
  return new Promise((resolve, reject) => {
    native.requestFd(path, request, maxSize, timeoutMs, (fd, text) => {
      if (fd !== null && fd < 0) reject(new SystemCallError('connect', JSON.stringify(path), -fd));
      else resolve({ text, fd: fd === null ? null : wrapBtfFd(fd) });
    });
  });
}
