import type { Socket } from 'node:net';
import { ErrorReason } from '@btfd/api';
import { hasUnreceived, SystemCallError } from '@btfd/native';
import { unixPeer, type Peer } from '../auth/peer.js';
import type { CurrentPolicy } from '../auth/policy.js';
import { printable } from '../base/text.js';
import { toServiceError } from '../error/from-unknown.js';
import { invalidRequest, ServiceError } from '../error/service-error.js';
import { admit } from '../grpc/interceptor/admit.js';
import { fdOf } from '../grpc/interceptor/internals.js';
import type { HandleTable } from './handle-table.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import { MAX_REFUSED } from '../listen/connections.js';
import { NewestSockets } from '../listen/newest-sockets.js';
import type { Quota } from '../quota/quota.js';

/** Four times the size of a token. */
const MAX_REQUEST_BYTES = 256;
/** The time until the reply. A local process sends its token at once. */
const CONNECTION_MS = 1_000;
/** Between two looks whether a peer has received its file descriptor. Most receive it at once. */
const FIRST_LOOK_MS = 1;
const LAST_LOOK_MS = 1_000;

/** FdRequestEnd describes a request for a file descriptor that has ended. */
export interface FdRequestEnd {
  /** Null for a peer that the kernel does not name. */
  readonly principal: string | null;
  /** The process that asked, or 0. */
  readonly pid: number;
  /** The object whose file descriptor was given; null if it was not. */
  readonly info: ObjectInfo | null;
  /** Why it was not given; null if it was. */
  readonly error: ServiceError | null;
}

/** FdRequestsOptions are what requests need. */
export interface FdRequestsOptions {
  readonly handles: HandleTable;
  readonly policy: CurrentPolicy;
  /** The quota of connections. */
  readonly quota: Quota;
  readonly onEnd: (end: FdRequestEnd) => void;
  /** The time until the reply in milliseconds. Default: 1 s. */
  readonly connectionMs?: number;
}

/**
 * FdRequests gives local processes file descriptors of their handles. A connection to a unix socket has one request, which
 * is a token and a newline. The reply is `ok` with the file descriptor, or `error REASON MESSAGE`, and a newline.
 *
 * The kernel counts file descriptors that no peer has received yet for the user of the daemon, and keeps them after the
 * daemon has closed its end. So a connection stays open, and counts for its principal, until its peer has received the file
 * descriptor or has closed the connection. All that wait are fewer than the daemon's open files, which is the kernel's bound.
 *
 * A file descriptor that was given outlives the lease of its handle, the role of its receiver and the daemon, and counts
 * for no quota.
 */
export class FdRequests {
  readonly #options: FdRequestsOptions;
  /** Those beyond the quota. A peer that does not close its connections could otherwise leave no room for others. */
  readonly #refusedSockets = new NewestSockets(MAX_REFUSED);

  constructor(options: FdRequestsOptions) {
    this.#options = options;
  }

  /** serve serves a connection to the unix socket that has a group. */
  serve(socket: Socket, socketGid: number): void {
    const { connectionMs = CONNECTION_MS } = this.#options;
    const timer = setTimeout(() => socket.destroy(), connectionMs).unref();
    socket.once('close', () => clearTimeout(timer));
    // Otherwise Node closes the connection of a peer that has only ended its own side.
    socket.allowHalfOpen = true;
    const endWithoutRequest = (): void => void socket.end();
    socket.once('end', endWithoutRequest);
    const peer = unixPeer(fdOf(socket), socketGid);
    const principal = this.#options.policy.now.principalOf(peer);
    try {
      const claim = this.#options.quota.take(principal ?? 'nobody');
      socket.once('close', () => claim[Symbol.dispose]());
    } catch (error) {
      this.#refuse(socket, peer, toServiceError(error));
      this.#refusedSockets.add(socket);
      return;
    }
    let request = '';
    socket.setEncoding('latin1');
    const onData = (text: string): void => {
      request += text;
      const end = request.indexOf('\n');
      if (end === -1 && request.length <= MAX_REQUEST_BYTES) return;
      socket.off('data', onData).off('end', endWithoutRequest).resume();
      if (!this.#reply(socket, peer, request, end)) return;
      clearTimeout(timer);
      endWhenReceived(socket, FIRST_LOOK_MS);
    };
    socket.on('data', onData);
  }

  /** Returns whether the file descriptor was sent. */
  #reply(socket: Socket, peer: Peer, request: string, end: number): boolean {
    const { handles, onEnd } = this.#options;
    try {
      if (end === -1 || end !== request.length - 1) {
        throw invalidRequest(
          'token',
          `must be followed by a newline and nothing else, in ${MAX_REQUEST_BYTES} bytes`,
        );
      }
      const caller = admit({ peer, refusal: null }, this.#options.policy, 'loader', 'a file descriptor');
      using use = handles.use(caller, request.slice(0, end));
      const { object, info } = use.held;
      const fd = fdOf(socket);
      // The peer has left.
      if (fd === null) return false;
      object.send(fd, 'ok\n');
      onEnd({ principal: caller.principal, pid: pidOf(peer), info, error: null });
      return true;
    } catch (error) {
      this.#refuse(socket, peer, errorOf(error));
      return false;
    }
  }

  #refuse(socket: Socket, peer: Peer, error: ServiceError): void {
    socket.end(`error ${ErrorReason[error.reason]} ${printable(error.message)}\n`);
    const principal = this.#options.policy.now.principalOf(peer);
    this.#options.onEnd({ principal, pid: pidOf(peer), info: null, error });
  }
}

/** Closes a connection when its peer has received everything, or has closed it. */
function endWhenReceived(socket: Socket, ms: number): void {
  const fd = fdOf(socket);
  if (fd === null) return;
  if (!hasUnreceived(fd)) {
    socket.destroy();
    return;
  }
  const timer = setTimeout(() => endWhenReceived(socket, Math.min(2 * ms, LAST_LOOK_MS)), ms).unref();
  socket.once('close', () => clearTimeout(timer));
}

function pidOf(peer: Peer): number {
  return peer.kind === 'unix' ? peer.pid : 0;
}

function errorOf(error: unknown): ServiceError {
  if (!(error instanceof SystemCallError)) return toServiceError(error);
  if (error.code === 'ETOOMANYREFS') {
    const message = `too many file descriptors of the daemon's user wait for processes to receive them: try again later`;
    const metadata = { command: 'sendmsg', errno_name: error.code };
    return new ServiceError(ErrorReason.OUT_OF_FILES, message, { metadata, cause: error });
  }
  // The peer has left.
  const message = `cannot send the file descriptor: ${error.code}`;
  return new ServiceError(ErrorReason.INTERNAL, message, { cause: error });
}
