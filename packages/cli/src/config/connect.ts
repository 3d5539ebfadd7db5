import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { BtfClient, BtfError } from '@btfd/client';
import { usageError } from '../error/cli-error.js';
import type { Node } from './config.js';
import { tlsOptions } from './tls-files.js';

/**
 * connectTo makes the client of a node. It connects when it is first used, and does not try again: whoever waits at a
 * terminal is told at once.
 *
 * @throws CliError USAGE for bad TLS files.
 */
export function connectTo(
  { address, tls }: Node,
  timeout: number | undefined,
  env: NodeJS.ProcessEnv,
): BtfClient {
  // What comes over a socket of this machine costs less than to keep it.
  const specCacheDir = address.startsWith('unix:') ? undefined : cacheDir(env);
  try {
    return new BtfClient(address, {
      timeout,
      retries: 0,
      specCacheDir,
      tls: tls === null ? undefined : tlsOptions(tls),
    });
  } catch (error) {
    throw BtfError.isBtfError(error) ? usageError(error.rawMessage) : error;
  }
}

/** Where specs of other nodes are kept between runs. */
function cacheDir(env: NodeJS.ProcessEnv): string {
  const folder = env['XDG_CACHE_HOME'];
  // The XDG specification: a path that isn't absolute is to be ignored.
  const hasFolder = folder !== undefined && isAbsolute(folder);
  return join(hasFolder ? folder : join(env['HOME'] ?? homedir(), '.cache'), 'btfd');
}
