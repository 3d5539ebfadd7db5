import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { invalidArgument } from '../error/argument.js';
import { BtfError } from '../error/btf-error.js';
import type { TlsFiles } from './tls-options.js';

/** FileContents are the contents of {@link TlsFiles}. */
export interface FileContents {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/**
 * How often files that change are read, at most, until they are the same twice. Files that are replaced one after the other,
 * or by a link to another folder, as in Kubernetes, are not the same then.
 */
const MAX_READS = 3;

/**
 * firstContents reads the files.
 *
 * @throws BtfError INVALID_REQUEST that names the option and the file.
 */
export function firstContents(files: TlsFiles): FileContents {
  if ((files.certFile === undefined) !== (files.keyFile === undefined)) {
    throw invalidArgument('tls', 'must have either both certFile and keyFile, or neither');
  }
  const [ca, cert, key] = OPTIONS.map((option) => readSync(option, files[option]));
  const contents = { ca, cert, key };
  checkContents(contents, files);
  return contents;
}

/**
 * contentsNow reads the files again. It returns the same contents if nothing has changed.
 *
 * @throws BtfError INVALID_REQUEST that names the option and the file.
 */
export async function contentsNow(files: TlsFiles, known: FileContents): Promise<FileContents> {
  let contents = await read(files);
  if (isSame(contents, known)) return known;
  for (let reads = 1; reads < MAX_READS; reads++) {
    const again = await read(files);
    if (isSame(again, contents)) break;
    contents = again;
  }
  checkContents(contents, files);
  return contents;
}

/** The certificates of all public authorities take a quarter of it. */
const MAX_BYTES = 1024 * 1024;

const OPTIONS = ['caFile', 'certFile', 'keyFile'] as const;

type FileOption = (typeof OPTIONS)[number];

async function read(files: TlsFiles): Promise<FileContents> {
  const [ca, cert, key] = await Promise.all(
    OPTIONS.map(async (option) => {
      const path = files[option];
      if (path === undefined) return undefined;
      try {
        checkFile(option, path, await stat(path));
        return await readFile(path);
      } catch (error) {
        throw cannotRead(option, error);
      }
    }),
  );
  return { ca, cert, key };
}

function readSync(option: FileOption, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    checkFile(option, path, statSync(path));
    return readFileSync(path);
  } catch (error) {
    throw cannotRead(option, error);
  }
}

/** A pipe would block the process, and cannot be read again. */
function checkFile(option: FileOption, path: string, stats: Stats): void {
  if (!stats.isFile()) throw invalidArgument(`tls.${option}`, `${path} is not a regular file`);
  if (stats.size <= MAX_BYTES) return;
  throw invalidArgument(`tls.${option}`, `${path} has ${stats.size} bytes: at most ${MAX_BYTES} are read`);
}

function cannotRead(option: FileOption, error: unknown): Error {
  if (BtfError.isBtfError(error)) return error;
  return invalidArgument(`tls.${option}`, String(error).replace(/^Error: /, ''), error);
}

/** OpenSSL accepts a file without certificates as an empty list of authorities, and its errors do not name the file. */
function checkContents({ ca, cert, key }: FileContents, files: TlsFiles): void {
  if (ca !== undefined) certificateIn('caFile', files, ca);
  if (cert === undefined || key === undefined) return;
  const certificate = certificateIn('certFile', files, cert);
  if (certificate.checkPrivateKey(keyIn(files, key))) return;
  throw invalidArgument(
    'tls.keyFile',
    `${files.keyFile} is not the key of the certificate in ${files.certFile}`,
  );
}

function certificateIn(option: FileOption, files: TlsFiles, pem: Buffer): X509Certificate {
  const text = pem.toString('latin1');
  // Half of a list of authorities would be used without a word.
  if (text.split('-----BEGIN ').length !== text.split('-----END ').length) {
    throw invalidArgument(`tls.${option}`, `a certificate in ${files[option]} is cut off`);
  }
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalidArgument(`tls.${option}`, `there is no certificate in ${files[option]}`);
  }
}

function keyIn({ keyFile }: TlsFiles, pem: Buffer): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch {
    const isEncrypted = pem.includes('ENCRYPTED');
    const problem = isEncrypted ? `the key in ${keyFile} is encrypted` : `there is no key in ${keyFile}`;
    throw invalidArgument('tls.keyFile', problem);
  }
}

function isSame(a: FileContents, b: FileContents): boolean {
  return (['ca', 'cert', 'key'] as const).every((part) => {
    const [one, other] = [a[part], b[part]];
    return one === undefined || other === undefined ? one === other : one.equals(other);
  });
}
