import type { Etcd3 } from 'etcd3';
import { BtfError, status } from '@btfd/client';
import { oneLine } from '../base/one-line.js';
import { type CheckedEtcd, credentialsOf, type EtcdUser } from './etcd-options.js';

type Etcd3Package = typeof import('etcd3');

/** The time for a call of one member. One in the same network responds within milliseconds. */
export const CALL_MS = 5_000;

/** A connection that is cut without notice is found after this, also if nothing is sent on it. etcd refuses more than one ping in 5 s. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 };

/**
 * 64 MiB: more than a page of values has, each of the 1.5 MiB that etcd accepts by default.
 */
const MAX_MESSAGE = 64 * 1024 * 1024;

/**
 * openEtcd returns a client of etcd. It does not connect.
 *
 * @throws BtfError INVALID_REQUEST if the certificates cannot be used.
 * @throws BtfError FAILED_PRECONDITION if `etcd3` is not installed.
 */
export async function openEtcd({ hosts, tls, user }: CheckedEtcd): Promise<Etcd3> {
  const { Etcd3: Client } = await etcd3Package();
  return new Client({
    hosts: [...hosts],
    ...(tls === undefined ? {} : { credentials: credentialsOf(typeof tls === 'object' ? tls : await tls()) }),
    ...(user === undefined ? {} : { auth: { username: user.name, password: user.password } }),
    grpcOptions: { ...KEEPALIVE, 'grpc.max_receive_message_length': MAX_MESSAGE },
    // Also for the call that exchanges a password for a token.
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + CALL_MS }),
  });
}

/**
 * etcd3Package loads `etcd3`, an optional peer dependency.
 *
 * @param load - imports it
 * @throws BtfError FAILED_PRECONDITION that names the command that installs it.
 */
export async function etcd3Package(
  load: () => Promise<Etcd3Package> = async () => import('etcd3'),
): Promise<Etcd3Package> {
  try {
    return await load();
  } catch (error) {
    const why = oneLine(error instanceof Error ? error.message : String(error));
    const message = `nodes in etcd need the package etcd3, which cannot be loaded: install it with \`npm install etcd3\` (${why})`;
    throw new BtfError({ code: status.FAILED_PRECONDITION, reason: null, message, cause: error });
  }
}

/** The codes for the classes of etcd3's errors. All others mean that etcd does not respond, or not in time. */
const CODES: Readonly<Record<string, status>> = {
  EtcdAuthenticationFailedError: status.UNAUTHENTICATED,
  EtcdInvalidAuthTokenError: status.UNAUTHENTICATED,
  GRPCUnauthenticatedError: status.UNAUTHENTICATED,
  EtcdPermissionDeniedError: status.PERMISSION_DENIED,
  GRPCInvalidArgumentError: status.INVALID_ARGUMENT,
  GRPCFailedPreconditionError: status.FAILED_PRECONDITION,
  GRPCNotImplementedError: status.UNIMPLEMENTED,
  GRPCResourceExhastedError: status.RESOURCE_EXHAUSTED,
  EtcdError: status.INTERNAL,
};

/** etcdError returns the error for a failed call of etcd. */
export function etcdError(error: unknown, { description, user }: CheckedEtcd): BtfError {
  if (BtfError.isBtfError(error)) return error;
  const [name, text] = error instanceof Error ? [error.constructor.name, error.message] : ['', String(error)];
  // Of a token from before a change of users or roles. Another attempt gets another token.
  const isOld = text.includes('revision of auth store is old');
  const code = isOld ? status.UNAVAILABLE : (CODES[name] ?? status.UNAVAILABLE);
  const what = code === status.UNAVAILABLE ? 'cannot be reached' : 'refuses the call';
  // An earlier error said why no member responds.
  const why = name === 'BrokenCircuitError' ? 'no member responds' : oneLine(BtfError.from(error).rawMessage);
  const hint = hintFor(code, user);
  return new BtfError({
    code,
    reason: null,
    message: `${description}: ${what}: ${why}${hint}`,
    cause: error,
  });
}

function hintFor(code: status, user: EtcdUser | undefined): string {
  const who = user === undefined ? 'the user of the client certificate' : `the user "${oneLine(user.name)}"`;
  if (code !== status.PERMISSION_DENIED) return '';
  return `: grant a role of ${who} the keys with \`etcdctl role grant-permission\``;
}
