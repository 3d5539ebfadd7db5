import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { X509Certificate } from 'node:crypto';
import { aString, checkFields, invalidArgument, rule, type Rule, type Rules } from '../error/argument.js';

/** Pem is certificates or a key in PEM, as a string or as the bytes of a file. */
export type Pem = string | Uint8Array;

/** TlsOptions are the options of a TLS connection. The values are contents, not paths, as in `node:tls`. */
export interface TlsOptions {
  /** The certificates of the authorities that may sign the daemon's. Default: the authorities that Node trusts. */
  readonly ca?: Pem | undefined;
  /** The client's own certificate with its chain, for mutual TLS. It needs `key`. Default: none. */
  readonly cert?: Pem | undefined;
  /** The private key of `cert`. Default: none. */
  readonly key?: Pem | undefined;
  /** The name that the daemon's certificate must have. Default: the host of the address; required for a unix socket. */
  readonly serverName?: string | undefined;
}

const aPem = rule('PEM, as a string or the bytes of a file', isPem);

/** OpenSSL accepts any text as authorities, and then trusts nobody. */
const certificates: Rule = (field, value) => {
  aPem(field, value);
  if (isPem(value) && !isCertificate(value)) throw invalidArgument(field, 'must be certificates in PEM');
};

const TLS_RULES: Rules<TlsOptions> = { ca: certificates, cert: aPem, key: aPem, serverName: aString };

/** aTlsOptions is the rule of the option `tls`. */
export const aTlsOptions: Rule = (field, value) => checkFields(`${field}.`, field, value, TLS_RULES);

/** tlsCredentials returns the credentials of TLS. @throws BtfError INVALID_REQUEST for PEM that OpenSSL cannot read. */
export function tlsCredentials({ ca, cert, key }: TlsOptions): ChannelCredentials {
  if ((cert === undefined) !== (key === undefined)) {
    throw invalidArgument('tls', 'must have either both cert and key, or neither');
  }
  try {
    return credentials.createSsl(buffer(ca), buffer(key), buffer(cert));
  } catch (error) {
    throw invalidArgument('tls', `must be valid PEM, with a key that fits cert: ${String(error)}`);
  }
}

/** tlsChannelOptions returns the channel options that TLS needs. */
export function tlsChannelOptions({ serverName }: TlsOptions): ChannelOptions {
  if (serverName === undefined) return {};
  return { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName };
}

function buffer(pem: Pem | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}

function isPem(value: unknown): value is Pem {
  return typeof value === 'string' || value instanceof Uint8Array;
}

/** Reports whether PEM starts with a certificate, which others may follow. */
function isCertificate(pem: Pem): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== '';
  } catch {
    return false;
  }
}
