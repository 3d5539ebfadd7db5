import { join } from 'node:path';
import { BtfClient, BtfError } from '@btfd/client';
import { usageError } from '../error/cli-error.js';
import { isLocal, type NamedNode } from './target.js';
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
  const specCacheDir = isLocal(address) ? undefined : join(cacheHome(env), 'btfd');
  const namedBy = context === null ? null : `context ${JSON.stringify(context)}`;
  try {
    return new BtfClient(address, {
      timeout,
      retries: 0,
      specCacheDir,
      tls: tls === null ? undefined : await checkedTls(tls, interrupted, namedBy),
    });
  } catch (error) {
    throw BtfError.isBtfError(error) ? usageError(error.rawMessage) : error;
  }
}
