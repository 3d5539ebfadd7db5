import { BtfBuildError, BtfFormatError, type BtfFormatErrorCode } from '@btfd/btf';
import type { BtfError, BtfErrorReason } from '@btfd/client';
import { CliError } from './cli-error.js';
import { ExitCode } from './exit-code.js';

/** Explanation is what a command that failed says, and how it ends. */
export interface Explanation {
  readonly exitCode: number;
  readonly message: string;
  readonly hint: string | null;
}

const LIST = '`btfctl list` shows what is there';
const INFO = '`btfctl info` tells what the daemon can do, and why not the rest';
const PRIVILEGES = `run btfd as root, or with CAP_SYS_ADMIN and CAP_BPF; ${INFO}`;
const ROLES =
  'roles are given by --viewer, --inspector and --loader of btfd, as in --loader uid:1000, or by its policy file; ' +
  '`btfctl info` tells who you are to it';
const CREDENTIALS =
  'give a certificate that the daemon knows with --tls-cert and --tls-key, or in a context of the config file';

/** What to do next, and the exit code where it differs from FAILURE, by the reason of a {@link BtfError}. */
const ADVICE: Partial<
  Readonly<Record<BtfErrorReason, { readonly exitCode?: number; readonly hint?: string }>>
> = {
  INVALID_REQUEST: { exitCode: ExitCode.USAGE },
  BTF_ID_NOT_FOUND: { exitCode: ExitCode.NOT_FOUND, hint: LIST },
  NAME_NOT_FOUND: { exitCode: ExitCode.NOT_FOUND, hint: `${LIST}; the path of a file has a slash` },
  NO_MATCH: { exitCode: ExitCode.NOT_FOUND },
  HANDLE_NOT_FOUND: { exitCode: ExitCode.NOT_FOUND },
  HANDLE_OF_EARLIER_DAEMON: { hint: 'the daemon was restarted: run the command again' },
  VERIFIER_REJECTED: { exitCode: ExitCode.REFUSED, hint: '`btfctl check FILE` prints the whole log' },
  KERNEL_WITHOUT_BTF: { hint: 'its kernel needs CONFIG_DEBUG_INFO_BTF' },
  OPERATION_UNAVAILABLE: { exitCode: ExitCode.DENIED, hint: INFO },
  DAEMON_LACKS_CAPABILITY: { exitCode: ExitCode.DENIED, hint: PRIVILEGES },
  ROLE_FORBIDS: { exitCode: ExitCode.DENIED, hint: ROLES },
  LOAD_QUEUE_FULL: { hint: 'the daemon is busy with other loads: try again in a moment' },
  QUOTA_EXCEEDED: { hint: "close what you hold, or ask the node's administrator for a larger quota" },
  UNAUTHENTICATED: { exitCode: ExitCode.DENIED, hint: CREDENTIALS },
  LEASE_EXPIRED: { exitCode: ExitCode.UNREACHABLE },
  SHUTTING_DOWN: { exitCode: ExitCode.UNREACHABLE, hint: 'try again once it has started anew' },
  OUTPUT_TOO_LARGE: { hint: 'ask for single types with --type' },
  MISSING_BASE: { hint: 'name the BTF that it continues with --base' },
  BASE_MISMATCH: { hint: 'name the BTF that it continues with --base' },
};

const FORMAT_HINTS: Partial<Readonly<Record<BtfFormatErrorCode, string>>> = {
  MISSING_BASE:
    'name the BTF that it continues with --base: vmlinux for that of the daemon, or the path of a file',
  BASE_MISMATCH: 'a module belongs to one build of the kernel: name its BTF with --base',
};

/** explainError says in words what went wrong, what to do next, and how the command ends. */
export function explainError(error: unknown): Explanation {
  if (error instanceof CliError) {
    return { exitCode: error.exitCode, message: error.message, hint: error.hint };
  }
  if (isBtfError(error)) return explainBtfError(error);
  if (error instanceof BtfFormatError) {
    const exitCode =
      error.code === 'NOT_FOUND' || error.code === 'AMBIGUOUS' ? ExitCode.NOT_FOUND : ExitCode.FAILURE;
    return { exitCode, message: error.message, hint: FORMAT_HINTS[error.code] ?? null };
  }
  if (error instanceof BtfBuildError) {
    return { exitCode: ExitCode.FAILURE, message: error.message, hint: null };
  }
  if (isTimeout(error)) return timedOut(error.message);
  return {
    exitCode: ExitCode.FAILURE,
    message: error instanceof Error ? error.message : String(error),
    hint: null,
  };
}

/**
 * isBtfError tells whether a value is an error of the client. By its name: to ask the class would load gRPC for whatever
 * goes wrong with a file.
 */
export function isBtfError(value: unknown): value is BtfError {
  return value instanceof Error && value.name === 'BtfError';
}

function explainBtfError(error: BtfError): Explanation {
  const { reason, codeName, rawMessage } = error;
  if (reason === 'UNREACHABLE') return unreachable(rawMessage);
  if (codeName === 'DEADLINE_EXCEEDED') return timedOut('the daemon did not answer in time');
  const advice = reason === null ? undefined : ADVICE[reason];
  if (advice !== undefined) {
    const { exitCode = ExitCode.FAILURE, hint = null } = advice;
    return { exitCode, message: rawMessage, hint };
  }
  switch (codeName) {
    case 'UNAUTHENTICATED':
      return { exitCode: ExitCode.DENIED, message: rawMessage, hint: CREDENTIALS };
    case 'PERMISSION_DENIED':
      return { exitCode: ExitCode.DENIED, message: rawMessage, hint: INFO };
    case 'NOT_FOUND':
      return { exitCode: ExitCode.NOT_FOUND, message: rawMessage, hint: null };
    default:
      return { exitCode: ExitCode.FAILURE, message: rawMessage, hint: null };
  }
}

function timedOut(message: string): Explanation {
  return { exitCode: ExitCode.UNREACHABLE, message, hint: 'allow more with --timeout, such as --timeout 1m' };
}

/** By what grpc-js says of the connection that it could not make. */
const UNREACHABLE_HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /self-signed|self signed|unable to (get|verify)|issuer certificate/,
    'its certificate is of no authority that you trust: name that with --tls-ca',
  ],
  [
    /certificate (has expired|is not yet valid)/,
    'renew the certificate of the daemon, or look at the clocks of both machines',
  ],
  [/altnames|Hostname\/IP/, 'its certificate is for another name: give that with --tls-server-name'],
  [/certificate required|bad certificate|unknown ca|handshake failure/i, CREDENTIALS],
  [/Failed to connect/, 'it may want TLS: name who vouches for it with --tls-ca'],
  [/wrong version number|packet length too long/, 'it does not speak TLS there: leave out the --tls options'],
];

function unreachable(rawMessage: string): Explanation {
  const address = /^the daemon at (.+?) cannot be reached/.exec(rawMessage)?.[1] ?? 'its address';
  const said = causeOf(rawMessage);
  if (/\b(?:EACCES|EPERM)\b/.test(said)) {
    return {
      exitCode: ExitCode.DENIED,
      message: `you may not open the socket of the daemon at ${address}: ${said}`,
      hint: 'join its group, or run btfctl as its owner',
    };
  }
  const [, hint] = UNREACHABLE_HINTS.find(([pattern]) => pattern.test(rawMessage)) ?? [
    null,
    'is btfd running there? `--address`, BTFD_ADDRESS or a context of the config file name another place',
  ];
  return {
    exitCode: ExitCode.UNREACHABLE,
    message: `no daemon answers at ${address}: ${said}`,
    hint,
  };
}

/** What the system said, without what grpc-js and OpenSSL put around it. */
function causeOf(rawMessage: string): string {
  const cause =
    /Last error: (.*)$/s.exec(rawMessage)?.[1] ?? rawMessage.replace(/^.*cannot be reached: /s, '');
  const bySsl = /:SSL routines:[^:]*:([^:]+):/.exec(cause)?.[1];
  return (bySsl ?? cause)
    .replace(/\s*Resolution note:.*$/s, '')
    .replaceAll(/\s*\(\d{4}-\d\d-\d\dT[^)]*\)/g, '')
    .replace(/^Error(?: \[\w+\])?: /, '')
    .replace(/\.?\s*$/, '');
}

function isTimeout(error: unknown): error is DOMException {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
