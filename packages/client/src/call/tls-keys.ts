import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { invalidArgument } from '../error/argument.js';
import type { Pem, TlsOptions } from './tls-options.js';

/** TlsKeys are the keys and certificates of a connection. */
export interface TlsKeys {
  readonly context: SecureContext;
  readonly serverName: string | undefined;
  /** When a successor of the client's certificate should be used, in milliseconds since 1970; Infinity if it has none. */
  readonly renewAt: number;
}

/** In the last tenth of its lifetime a certificate has a successor: cert-manager makes it after two thirds. */
const LAST_PART = 0.1;

/** tlsKeys returns the keys of options. @throws BtfError INVALID_REQUEST for PEM that OpenSSL cannot read. */
export function tlsKeys({ ca, cert, key, serverName }: TlsOptions): TlsKeys {
  if ((cert === undefined) !== (key === undefined)) {
    throw invalidArgument('tls', 'must have either both cert and key, or neither');
  }
  try {
    const context = createSecureContext({
      ca: buffer(ca) ?? defaultAuthorities(),
      cert: buffer(cert),
      key: buffer(key),
      ciphers: process.env['GRPC_SSL_CIPHER_SUITES'],
    });
    return { context, serverName, renewAt: cert === undefined ? Infinity : renewalOf(cert) };
  } catch (error) {
    throw invalidArgument('tls', `must be valid PEM, with a key that fits cert: ${String(error)}`);
  }
}

function renewalOf(cert: Pem): number {
  const { validFrom, validTo } = new X509Certificate(cert);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return to - (to - from) * LAST_PART;
}

/** The authorities of a variable that all implementations of gRPC know. */
function defaultAuthorities(): Buffer | undefined {
  const path = process.env['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH'];
  return path === undefined || path === '' ? undefined : readFileSync(path);
}

function buffer(pem: Pem | undefined): Buffer | undefined {
  return pem === undefined ? undefined : Buffer.from(pem);
}
