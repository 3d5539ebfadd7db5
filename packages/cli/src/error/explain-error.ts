import { BtfBuildError, BtfReadError, type BtfReadErrorCode } from '@btfd/btf';
import type { BtfError, BtfErrorReason } from '@btfd/client';
import { CliError, isBtfError } from './cli-error.js';
import { ExitCode } from './exit-code.js';

/** Explanation is the message, the hint and the exit code of a command that failed. */
export interface Explanation {
  readonly exitCode: number;
  readonly message: string;
  readonly hint: string | null;
}

const LIST = '`btfctl list` lists the objects';
/** INFO is the hint for what a daemon cannot do. */
export const INFO = '`btfctl info` shows what the daemon can do, and why not the rest';
const PRIVILEGES = `run btfd as root, or with CAP_SYS_ADMIN; ${INFO}`;
const FORBIDDEN = `allow bpf(2) in the seccomp profile of btfd and in the rules of security modules; ${INFO}`;
const NAMESPACE =
  'in a user namespace root has no rights for bpf(2): run btfd outside of it, or let it load with a BPF token ' +
  `(btfd --bpf-token, Linux 6.9); ${INFO}`;
const ROLES =
  'btfd assigns roles with --viewer, --inspector and --loader, such as --loader uid:1000, or in its policy file; ' +
  '`btfctl info` shows your name and your role';
const CREDENTIALS =
  'present a certificate that the daemon accepts, with --tls-cert and --tls-key or in a context of the config file';

/** The hint, and the exit code unless it is FAILURE, for each reason of a {@link BtfError}. */
const ADVICE: Partial<
  Readonly<Record<BtfErrorReason, { readonly exitCode?: number; readonly hint?: string }>>
> = {
  INVALID_REQUEST: { exitCode: ExitCode.USAGE },
  BTF_ID_NOT_FOUND: { exitCode: ExitCode.NOT_FOUND, hint: LIST },
  NAME_NOT_FOUND: { exitCode: ExitCode.NOT_FOUND, hint: `${LIST}; to name a file, use a path with a slash` },
  NO_MATCH: { exitCode: ExitCode.NOT_FOUND },
  HANDLE_NOT_FOUND: { exitCode: ExitCode.NOT_FOUND },
  HANDLE_OF_EARLIER_DAEMON: { hint: 'the daemon was restarted: run the command again' },
  VERIFIER_REJECTED: { exitCode: ExitCode.REFUSED },
  KERNEL_WITHOUT_BTF: { hint: 'the daemon needs a kernel with CONFIG_DEBUG_INFO_BTF=y' },
  OPERATION_UNAVAILABLE: { exitCode: ExitCode.DENIED, hint: INFO },
  ROLE_FORBIDS: { exitCode: ExitCode.DENIED, hint: ROLES },
  LOAD_QUEUE_FULL: { hint: 'the daemon is busy with other loads: try again in a moment' },
  QUOTA_EXCEEDED: { hint: "end other clients of yours, or ask the node's administrator for a larger quota" },
  UNAUTHENTICATED: { exitCode: ExitCode.DENIED, hint: CREDENTIALS },
  NOT_HOLDABLE: { hint: INFO },
  LEASE_EXPIRED: { exitCode: ExitCode.UNREACHABLE },
  SHUTTING_DOWN: { exitCode: ExitCode.UNREACHABLE, hint: 'try again when the daemon has started again' },
  OUTPUT_TOO_LARGE: { hint: 'choose fewer types with --type' },
  MISSING_BASE: { hint: 'name its base with --base' },
  BASE_MISMATCH: { hint: 'name its base with --base' },
};

/** The hints for a daemon whom the kernel refuses for another reason than a missing capability. */
const LACKS_HINTS: readonly (readonly [words: string, hint: string])[] = [
  ['user namespace', NAMESPACE],
  ['although the daemon has', FORBIDDEN],
];

const READ_HINTS: Partial<Readonly<Record<BtfReadErrorCode, string>>> = {
  MISSING_BASE: 'name its base with --base: vmlinux for the kernel of the daemon, or the path of a file',
  BASE_MISMATCH: 'a module belongs to one build of the kernel: name the BTF of that build with --base',
};

/** The codes of errors about something that does not exist, or not only once. */
const MISSING: ReadonlySet<BtfReadErrorCode> = new Set(['NOT_FOUND', 'AMBIGUOUS', 'NO_BTF']);

/**
 * explainError returns what to print about an error, and the exit code for it.
 *
 * @param env the environment, which may name a proxy.
 */
export function explainError(error: unknown, env: NodeJS.ProcessEnv = {}): Explanation {
  if (error instanceof CliError) {
    return { exitCode: error.exitCode, message: error.message, hint: error.hint };
  }
  if (isBtfError(error)) return explainBtfError(error, env);
  if (error instanceof BtfReadError) {
    const exitCode = MISSING.has(error.code) ? ExitCode.NOT_FOUND : ExitCode.FAILURE;
    return { exitCode, message: error.message, hint: READ_HINTS[error.code] ?? null };
  }
  if (error instanceof BtfBuildError) {
    return { exitCode: ExitCode.FAILURE, message: error.message, hint: null };
  }
  if (isTimeout(error)) return timedOut(error.message, env);
  return {
    exitCode: ExitCode.FAILURE,
    message: error instanceof Error ? error.message : String(error),
    hint: null,
  };
}

function explainBtfError(error: BtfError, env: NodeJS.ProcessEnv): Explanation {
  const { reason, codeName, rawMessage } = error;
  if (reason === 'UNREACHABLE') return unreachable(rawMessage);
  if (codeName === 'DEADLINE_EXCEEDED') {
    const late = LATE_PROXY.exec(rawMessage)?.[1];
    if (late !== undefined)
      return { exitCode: ExitCode.UNREACHABLE, message: `${late} in time`, hint: NO_PROXY };
    return timedOut(rawMessage, env);
  }
  if (reason === 'DAEMON_LACKS_CAPABILITY') {
    const hint = LACKS_HINTS.find(([words]) => rawMessage.includes(words))?.[1] ?? PRIVILEGES;
    return { exitCode: ExitCode.DENIED, message: rawMessage, hint };
  }
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

/** hintForNode returns the hint for a node of a fleet that rejects the connection or its certificate; null for other errors. */
export function hintForNode({ codeName, rawMessage }: BtfError): string | null {
  return codeName === 'UNAUTHENTICATED' ? CREDENTIALS : connectHint(rawMessage);
}

function timedOut(message: string, env: NodeJS.ProcessEnv): Explanation {
  const proxy = PROXIES.find((name) => (env[name] ?? '') !== '');
  const more = 'allow more time with --timeout, such as --timeout 1m';
  const hint =
    proxy === undefined ? more : `${more}, or check the proxy of ${proxy}: no_proxy=HOST avoids it`;
  return { exitCode: ExitCode.UNREACHABLE, message, hint };
}

/** The variables in which grpc-js finds a proxy. */
const PROXIES = ['grpc_proxy', 'https_proxy', 'http_proxy'];

/** Hints for the errors that grpc-js reports if it cannot connect. */
const UNREACHABLE_HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /self-signed|self signed|unable to (get|verify)|issuer certificate/,
    'its certificate is not from an authority that you trust: name that authority with --tls-ca',
  ],
  [
    /certificate (has expired|is not yet valid)/,
    'renew the certificate of the daemon, or check the clocks of both machines',
  ],
  [/altnames|Hostname\/IP/, 'its certificate is for another name: give that name with --tls-server-name'],
  [/certificate required|bad certificate|unknown ca|handshake failure/i, CREDENTIALS],
  [/before HTTP\/2 began/, 'it may require TLS: name the authority of its certificate with --tls-ca'],
  [
    /cannot be resolved|no such name/,
    'check the name in its address, and that this machine can look up names',
  ],
  [/wrong version number|packet length too long/, 'it does not use TLS there: leave out the --tls options'],
];

/** The message of the client about a daemon that it cannot reach. */
const UNREACHABLE = /^the daemon at (.+?) cannot be reached(?: through the proxy (.+?))?: /;

/** The message of the client about a proxy that does not respond. */
const LATE_PROXY = /; (the proxy .+ has not connected to the daemon)$/;

const NO_PROXY = 'check the proxy, or connect without it: no_proxy=HOST, with the host of the daemon';

function unreachable(rawMessage: string): Explanation {
  const [, address = 'its address', proxy] = UNREACHABLE.exec(rawMessage) ?? [];
  const cause = rawMessage.replace(UNREACHABLE, '');
  if (/\b(?:EACCES|EPERM)\b/.test(cause)) {
    return {
      exitCode: ExitCode.DENIED,
      message: `you may not open the socket of the daemon at ${address}: ${cause}`,
      hint: 'join the group of the socket, or run btfctl as its owner',
    };
  }
  const where = `${address}${proxy === undefined ? '' : ` through the proxy ${proxy}`}`;
  const otherwise =
    proxy === undefined
      ? 'check that btfd is running there, or name another daemon with --address, BTFD_ADDRESS or a context'
      : NO_PROXY;
  return {
    exitCode: ExitCode.UNREACHABLE,
    message: `cannot reach the daemon at ${where}: ${cause}`,
    hint: connectHint(rawMessage) ?? otherwise,
  };
}

function connectHint(rawMessage: string): string | null {
  return UNREACHABLE_HINTS.find(([pattern]) => pattern.test(rawMessage))?.[1] ?? null;
}

function isTimeout(error: unknown): error is DOMException {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
