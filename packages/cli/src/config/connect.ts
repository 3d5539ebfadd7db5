import { readFileSync } from 'node:fs';
import { BtfClient } from '@btfd/client';
import { type ChannelOptions, type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { usageError } from '../cli-error.js';
import type { Node, TlsFiles } from './config.js';

/** connectTo makes the client of a node. It connects when it is first used. @throws CliError USAGE for bad TLS files. */
export function connectTo({ address, tls }: Node, timeout: number | undefined): BtfClient {
  return new BtfClient(address, {
    timeout,
    ...(tls === null ? {} : { credentials: tlsCredentials(tls), channelOptions: channelOptions(tls) }),
  });
}

function tlsCredentials({ ca, cert, key }: TlsFiles): ChannelCredentials {
  if ((cert === undefined) !== (key === undefined)) {
    throw usageError('a certificate needs its key: give --tls-cert and --tls-key together');
  }
  try {
    return credentials.createSsl(pem('--tls-ca', ca), pem('--tls-key', key), pem('--tls-cert', cert));
  } catch (error) {
    throw usageError(`TLS: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function pem(option: string, path: string | undefined): Buffer | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path);
  } catch (error) {
    throw usageError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function channelOptions({ serverName }: TlsFiles): ChannelOptions {
  if (serverName === undefined) return {};
  return { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName };
}
