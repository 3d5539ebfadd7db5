import { isErrorReason } from '@btfd/api/light';
import type { BtfFd } from '@btfd/native';
import { status } from '@grpc/grpc-js';
import { aString, rule } from '../error/argument.js';
import {
  BtfError,
  type BtfErrorReason,
  clientError,
  type DaemonErrorReason,
  invalidResponse,
} from '../error/btf-error.js';
import { RemoteObject, tokenOf } from '../remote-object.js';
import { nativePackage } from './native-package.js';

/** FD_CODES has the code of each reason that the daemon gives on this socket, whose replies have no codes. */
export const FD_CODES: Readonly<Partial<Record<DaemonErrorReason, status>>> = {
  INVALID_REQUEST: status.INVALID_ARGUMENT,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  ROLE_FORBIDS: status.PERMISSION_DENIED,
  HANDLE_NOT_FOUND: status.NOT_FOUND,
  HANDLE_OF_EARLIER_DAEMON: status.NOT_FOUND,
  QUOTA_EXCEEDED: status.RESOURCE_EXHAUSTED,
  OUT_OF_FILES: status.RESOURCE_EXHAUSTED,
  INTERNAL: status.INTERNAL,
};

const aHandle = rule(
  'a handle or its token',
  (value) => typeof value === 'string' || value instanceof RemoteObject,
);

/**
 * handleFd requests a file descriptor of a handle from a daemon on this machine. It returns a `BtfFd` of `@btfd/native`,
 * which the caller closes. The file descriptor outlives the handle, its lease and the daemon. The process needs the role
 * loader, and its user must be the one who obtained the handle. Modelled on `Handle.FD` of cilium/ebpf.
 *
 * @param handle - the handle, or its token
 * @param path - the path of the daemon's `--fd-socket`
 * @throws BtfError NATIVE_MISSING if `@btfd/native` is not installed or cannot be loaded.
 * @throws BtfError UNREACHABLE if no daemon replies at the path, or the process may not connect.
 * @throws BtfError HANDLE_NOT_FOUND or HANDLE_OF_EARLIER_DAEMON if the daemon at the path has no such handle of this user.
 * @throws BtfError HANDLE_CLOSED or LEASE_EXPIRED if the handle is not open, NOT_HOLDABLE if its object has no id.
 * @throws BtfError ROLE_FORBIDS, UNAUTHENTICATED or QUOTA_EXCEEDED if the daemon refuses.
 * @throws BtfError OUT_OF_FILES if too many file descriptors of the daemon's user wait for their receivers.
 * @throws BtfError INVALID_REQUEST for an argument of another type.
 */
export async function handleFd(handle: RemoteObject | string, path: string): Promise<BtfFd> {
  aHandle('handle', handle);
  aString('path', path);
  // A refusal does not mean that the lease is lost: the path may be that of another daemon, and the handle of another user.
  const token = typeof handle === 'string' ? handle : tokenOf(handle);
  const native = await nativePackage();
  const { text, fd } = await native.requestFd(path, `${token}\n`).catch((error: unknown) => {
    if (error instanceof native.BpfUnavailableError) {
      throw clientError('NATIVE_MISSING', error.message, { cause: error });
    }
    if (!(error instanceof native.SystemCallError)) throw error;
    throw clientError('UNREACHABLE', error.message, { cause: error });
  });
  if (text === 'ok\n' && fd !== null) return fd;
  fd?.close();
  throw errorOfReply(text, path);
}

/** Returns the error for a reply without a file descriptor. */
function errorOfReply(text: string, path: string): BtfError {
  if (text === '') {
    const why = 'it has too many connections, received no request within 1 s, or is ending';
    return clientError('UNREACHABLE', `the daemon closed the connection to ${JSON.stringify(path)}: ${why}`);
  }
  const [, name = '', message = ''] = /^error (\S+) (.*)\n$/.exec(text) ?? [];
  if (name === '') return invalidResponse('file descriptor');
  const reason: BtfErrorReason | null = isErrorReason(name) ? name : null;
  const code = reason === null ? undefined : FD_CODES[reason];
  return new BtfError({ code: code ?? status.UNKNOWN, reason, message });
}
