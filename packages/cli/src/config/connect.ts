import { join } from 'node:path';
import { BtfClient, BtfError, type Tls } from '@btfd/client';
import { CliError, ConfigFileError, usageError } from '../error/cli-error.js';
import type { TlsFiles } from './config.js';
import type { NamedNode } from './target.js';
import { checkedTls } from './tls-files.js';
import { cacheHome } from './xdg-folders.js';

/**
 * connectTo returns a client of a node. The client connects when it is first used. It does not retry: a user at a terminal
 * wants to know immediately that there is no daemon.
 *
 * @throws CliError USAGE for invalid TLS files. The reason of `interrupted`.
 */
export async function connectTo(
  { address, tls, context }: NamedNode,
  timeout: number | undefined,
  env: NodeJS.ProcessEnv,
  interrupted: AbortSignal,
): Promise<BtfClient> {
  // Reading BTF again from a daemon on this machine costs less than keeping it.
  const specCacheDir = address.startsWith('unix:') ? undefined : join(cacheHome(env), 'btfd');
  try {
    return new BtfClient(address, {
      timeout,
      retries: 0,
      specCacheDir,
      tls: tls === null ? undefined : await tlsOf(tls, context, interrupted),
    });
  } catch (error) {
    throw BtfError.isBtfError(error) ? usageError(error.rawMessage) : error;
  }
}

/** @throws CliError USAGE for invalid TLS files, with the name of the context that names them. */
async function tlsOf(files: TlsFiles, context: string | null, interrupted: AbortSignal): Promise<Tls> {
  try {
    return await checkedTls(files, interrupted);
  } catch (error) {
    if (context === null || !(error instanceof CliError)) throw error;
    throw new ConfigFileError(`context ${JSON.stringify(context)}: ${error.message}`);
  }
}
