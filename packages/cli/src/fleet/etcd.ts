import type { BtfError } from '@btfd/client';
import type { NodeSource } from '@btfd/fleet';
import type { EtcdOptions, EtcdTls } from '@btfd/fleet/etcd';
import { CliError, isBtfError, messageOf, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { EtcdFlags } from '../grammar/fleet-etcd.js';
import type { Session } from '../session/session.js';
import { readPath } from '../source/read-file.js';
import { withListingErrors } from './listing-errors.js';

/** The variable with the password of `--etcd-user`. Arguments of a process are visible to all users. */
const PASSWORD_VARIABLE = 'BTFCTL_ETCD_PASSWORD';

/**
 * etcdOf returns the options of etcd that flags name.
 *
 * @throws CliError USAGE for flags that do not fit each other, and for files that cannot be read.
 */
export async function etcdOf(session: Session, flags: EtcdFlags): Promise<EtcdOptions> {
  const { etcd, prefix, etcdCa, etcdCert, etcdKey } = flags;
  if (etcd === undefined)
    throw usageError('no etcd is named', 'name its members with --etcd HOST:PORT,HOST:PORT');
  if (etcdCa === undefined && (etcdCert ?? etcdKey) !== undefined) {
    throw usageError('--etcd-cert and --etcd-key need --etcd-ca, the authorities of etcd');
  }
  const read = async (flag: string, path: string): Promise<Buffer> => readNamed(session, flag, path);
  const tls = async (): Promise<EtcdTls> => ({
    ca: await read('--etcd-ca', etcdCa ?? ''),
    cert: etcdCert === undefined ? undefined : await read('--etcd-cert', etcdCert),
    key: etcdKey === undefined ? undefined : await read('--etcd-key', etcdKey),
  });
  // Files that cannot be read are an error at once. Later they may be others.
  if (etcdCa !== undefined) await tls();
  return {
    hosts: etcd.split(','),
    prefix,
    tls: etcdCa === undefined ? undefined : tls,
    user: await userOf(session, flags),
  };
}

async function userOf(
  session: Session,
  { etcdUser, etcdPasswordFile }: EtcdFlags,
): Promise<EtcdOptions['user']> {
  if (etcdUser === undefined) {
    if (etcdPasswordFile === undefined) return undefined;
    throw usageError('--etcd-password-file needs --etcd-user');
  }
  const password =
    etcdPasswordFile === undefined
      ? session.env[PASSWORD_VARIABLE]
      : (await readNamed(session, '--etcd-password-file', etcdPasswordFile)).toString().replace(/\r?\n$/, '');
  if (password !== undefined && password !== '') return { name: etcdUser, password };
  throw usageError(
    '--etcd-user has no password',
    `set ${PASSWORD_VARIABLE}, or name a file with --etcd-password-file`,
  );
}

async function readNamed(session: Session, flag: string, path: string): Promise<Buffer> {
  try {
    return Buffer.from(await readPath(path, session.interrupted));
  } catch (error) {
    session.interrupted.throwIfAborted();
    throw usageError(`${flag}: ${messageOf(error)}`);
  }
}

/** etcdNodesOf returns a source of the nodes in etcd. @throws CliError as {@link etcdOf}. */
export async function etcdNodesOf(session: Session, flags: EtcdFlags): Promise<NodeSource> {
  const { etcdNodes } = await import('@btfd/fleet/etcd');
  try {
    return withListingErrors(etcdNodes(await etcdOf(session, flags)), etcdFailure);
  } catch (error) {
    throw etcdFailure(error);
  }
}

/** The flags for the arguments of the library. */
const FLAGS: Readonly<Record<string, string>> = {
  hosts: '--etcd',
  prefix: '--prefix',
  tls: '--etcd-ca, --etcd-cert or --etcd-key',
  user: '--etcd-user',
  name: '--name',
  address: '--advertise',
  labels: '--label',
};

/** etcdFailure returns the error of a command for an error of the library. Its hints for daemons are of no use for etcd. */
export function etcdFailure(error: unknown): unknown {
  if (!isBtfError(error)) return error;
  const [violation] = error.fieldViolations;
  const flag = FLAGS[violation?.field ?? ''];
  if (violation !== undefined && flag !== undefined) return usageError(`${flag}: ${violation.description}`);
  return new CliError(exitCodeOf(error), error.rawMessage);
}

function exitCodeOf({ codeName }: BtfError): number {
  if (codeName === 'UNAUTHENTICATED' || codeName === 'PERMISSION_DENIED') return ExitCode.DENIED;
  return codeName === 'UNAVAILABLE' ? ExitCode.UNREACHABLE : ExitCode.FAILURE;
}
