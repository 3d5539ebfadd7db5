import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../base/make-folder.js';
import { Authority, type KeyPair } from './authority.js';

/** InitCertificatesOptions are what the certificates are to say, where that isn't the default. */
export interface InitCertificatesOptions {
  /** DNS names and IP addresses of the server. Default: this machine's name, localhost and its addresses. */
  readonly serverNames?: readonly string[];
  /** Names of the client, URIs or DNS names. Default: `spiffe://btfd/client`. */
  readonly clientNames?: readonly string[];
  /** Days for which all of them hold. Default: 365. */
  readonly days?: number;
  readonly now?: Date;
}

/** CertificateFiles are the paths of what was written. */
export interface CertificateFiles {
  readonly ca: string;
  readonly caKey: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** CLIENT_NAME is the name of the client where no other is given. */
export const CLIENT_NAME = 'spiffe://btfd/client';

const DAY_MS = 86_400_000;
/** Clocks of machines differ. */
const CLOCK_SKEW_MS = 300_000;

/**
 * initCertificates makes an authority, and a certificate each for a server and a client, to try mutual TLS with. The
 * folder is made if it isn't there; keys are for the file's owner alone. Whoever has `ca.key` can make clients with
 * any name: for production, use an authority whose key isn't on the node.
 *
 * @throws Error if any of the files is there already; nothing is written then.
 */
export async function initCertificates(
  dir: string,
  options: InitCertificatesOptions = {},
): Promise<CertificateFiles> {
  const { now = new Date(), days = 365 } = options;
  if (!Number.isFinite(days) || days <= 0) throw new RangeError(`days must be positive, is ${days}`);
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
  const there = Object.values(files).find((file) => existsSync(file));
  if (there !== undefined) throw new Error(`${there} exists, and is not overwritten`);
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

/** `wx`: never onto a file, nor through a link, that came meanwhile. */
function write({ cert, key }: KeyPair, certFile: string, keyFile: string): void {
  writeFileSync(keyFile, key, { flag: 'wx', mode: 0o600 });
  writeFileSync(certFile, cert, { flag: 'wx', mode: 0o644 });
}
