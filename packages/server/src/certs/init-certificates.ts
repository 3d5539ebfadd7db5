import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../base/files.js';
import { Authority, type KeyPair } from './authority.js';

/** InitCertificatesOptions change the contents of the certificates. */
export interface InitCertificatesOptions {
  /** DNS names and IP addresses of the server. Default: this machine's name, localhost and its addresses. */
  readonly serverNames?: readonly string[];
  /** Names of the client, URIs or DNS names. Default: `spiffe://btfd/client`. */
  readonly clientNames?: readonly string[];
  /** Days for which all of them are valid. Default: 365. */
  readonly days?: number;
  /** When they become valid. Default: now. */
  readonly now?: Date;
}

/** CertificateFiles are the paths of the files that were written. */
export interface CertificateFiles {
  readonly ca: string;
  readonly caKey: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** CLIENT_NAME is the default name of the client. */
export const CLIENT_NAME = 'spiffe://btfd/client';

const DAY_MS = 86_400_000;
/** The certificates are valid from a little earlier, because the clocks of machines differ. */
const CLOCK_SKEW_MS = 300_000;

/**
 * initCertificates makes an authority and a certificate each for a server and a client, for trying out mutual TLS. It
 * writes them and their keys into a folder, which it makes if necessary. Only the owner can read the keys. Returns the
 * paths of the files.
 *
 * Anyone who has `ca.key` can make a client with any name. For production, use an authority whose key is not on the
 * node.
 *
 * @throws Error if one of the files already exists. Nothing is written then.
 * @throws RangeError if `days` is not a positive number.
 * @throws NodeJS.ErrnoException if the folder or a file cannot be written.
 */
export async function initCertificates(
  dir: string,
  options: InitCertificatesOptions = {},
): Promise<CertificateFiles> {
  const { now = new Date(), days = 365 } = options;
  if (!Number.isFinite(days) || days <= 0)
    throw new RangeError(`days is ${days}: it must be a positive number`);
  const { serverNames = [...new Set([hostname(), 'localhost', '127.0.0.1', '::1'])] } = options;
  const { clientNames = [CLIENT_NAME] } = options;
  const files: CertificateFiles = {
    ca: join(dir, 'ca.crt'),
    caKey: join(dir, 'ca.key'),
    serverCert: join(dir, 'server.crt'),
    serverKey: join(dir, 'server.key'),
    clientCert: join(dir, 'client.crt'),
    clientKey: join(dir, 'client.key'),
  };
  const existing = Object.values(files).find((file) => existsSync(file));
  if (existing !== undefined) throw new Error(`${existing} already exists: remove it or use another folder`);
  const validity = {
    notBefore: new Date(now.getTime() - CLOCK_SKEW_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  };
  const authority = await Authority.make('btfd test authority', validity);
  const server = { commonName: 'btfd', names: serverNames, purpose: 'server', ...validity } as const;
  const client = { commonName: 'btfd client', names: clientNames, purpose: 'client', ...validity } as const;
  const pairs = { server: await authority.issue(server), client: await authority.issue(client) };
  makeFolder(dir, 0o700);
  write(authority.pair, files.ca, files.caKey);
  write(pairs.server, files.serverCert, files.serverKey);
  write(pairs.client, files.clientCert, files.clientKey);
  return files;
}

/** `wx` fails if a file or a link has been made there in the meantime. */
function write({ cert, key }: KeyPair, certFile: string, keyFile: string): void {
  writeFileSync(keyFile, key, { flag: 'wx', mode: 0o600 });
  writeFileSync(certFile, cert, { flag: 'wx', mode: 0o644 });
}
