import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Tls, TlsOptions } from '@btfd/client';
import { CliError, ConfigFileError, messageOf, usageError } from '../error/cli-error.js';
import { readPath } from '../source/read-file.js';
import type { TlsFiles } from './config.js';

/** The names of the files in messages: an option or a context of the config file names them. */
const LABELS = {
  ca: 'authorities (ca)',
  cert: 'certificate (cert)',
  key: 'key',
} as const;

/** checkPair checks that a certificate and its key are given together. @throws CliError USAGE if one is missing. */
export function checkPair({ certFile, keyFile }: TlsFiles): void {
  if ((certFile === undefined) === (keyFile === undefined)) return;
  throw usageError('a certificate needs its key: give --tls-cert and --tls-key together');
}

/**
 * checkedTls checks the TLS files, and returns the options for a client, which reads files again when they change. Commands such as
 * `watch` run for longer than certificates are valid. Pipes can be read once, so their contents are used.
 *
 * @param namedBy the part of the config file that names all of the files, in words; null if options name some.
 * @throws CliError USAGE, with the name of the file; ConfigFileError, also with the part of the config file. The reason of
 * `interrupted`.
 */
export async function checkedTls(
  files: TlsFiles,
  interrupted: AbortSignal,
  namedBy: string | null,
): Promise<Tls> {
  try {
    return await usableTls(files, interrupted);
  } catch (error) {
    if (namedBy === null || !(error instanceof CliError)) throw error;
    throw new ConfigFileError(`${namedBy}: ${error.message}`);
  }
}

async function usableTls(files: TlsFiles, interrupted: AbortSignal): Promise<Tls> {
  const contents = await tlsOptions(files, interrupted);
  const { caFile, certFile, keyFile } = files;
  const paths = [caFile, certFile, keyFile].filter((path) => path !== undefined);
  return paths.length > 0 && paths.every((path) => statSync(path).isFile()) ? files : contents;
}

/**
 * tlsOptions reads the TLS files. It checks each of them, because OpenSSL accepts a file without certificates as an empty
 * list of authorities, and its errors do not name the file.
 */
async function tlsOptions(files: TlsFiles, interrupted: AbortSignal): Promise<TlsOptions> {
  checkPair(files);
  const ca = await read(LABELS.ca, files.caFile, interrupted);
  const cert = await read(LABELS.cert, files.certFile, interrupted);
  const key = await read(LABELS.key, files.keyFile, interrupted);
  if (ca !== undefined) certificateIn(LABELS.ca, files.caFile, ca);
  if (cert !== undefined && key !== undefined) {
    const certificate = certificateIn(LABELS.cert, files.certFile, cert);
    if (!certificate.checkPrivateKey(keyIn(files.keyFile, key))) {
      throw usageError(`${files.keyFile} is not the key of the certificate in ${files.certFile}`);
    }
  }
  return { ca, cert, key, serverName: files.serverName };
}

async function read(
  option: string,
  path: string | undefined,
  interrupted: AbortSignal,
): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return Buffer.from(await readPath(path, interrupted));
  } catch (error) {
    interrupted.throwIfAborted();
    throw usageError(`${option}: ${messageOf(error)}`);
  }
}

function certificateIn(option: string, path: string | undefined, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw usageError(`${option}: there is no certificate in ${path}`);
  }
}

function keyIn(path: string | undefined, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    const isEncrypted = pem.includes('ENCRYPTED');
    throw usageError(
      `${LABELS.key}: ${isEncrypted ? `the key in ${path} is encrypted` : `there is no key in ${path}`}`,
    );
  }
}
