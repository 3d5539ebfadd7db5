import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { X509Certificate } from 'node:crypto';
import { aString, checkFields, invalidArgument, must, type Rule, type Rules } from '../error/argument.js';

/** Pem is a certificate or key in PEM, as text or as the bytes of a file, which may hold several. */
export type Pem = string | Uint8Array;

/** TlsOptions are the options of a connection by TLS. Values are contents, not paths, as in `node:tls`. */
export interface TlsOptions {
  /** Who is trusted to vouch for the daemon. Default: the authorities that Node trusts. */
  readonly ca?: Pem | undefined;
  /** The client's own certificate, with its chain, for a daemon that asks for one (mutual TLS). Needs `key`. */
  readonly cert?: Pem | undefined;
  /** The private key of `cert`. */
  readonly key?: Pem | undefined;
  /** The name that the daemon's certificate must have. Default: the host of the address; a unix socket has none. */
  readonly serverName?: string | undefined;
}

const aPem = must('PEM, as a string or the bytes of a file', isPem);

/** OpenSSL would take anything for authorities, and trust nobody. */
const certificates: Rule = (field, value) => {
  aPem(field, value);
  if (isPem(value) && !isCertificate(value)) throw invalidArgument(field, 'must be certificates in PEM');
};

const TLS_RULES: Rules<TlsOptions> = { ca: certificates, cert: aPem, key: aPem, serverName: aString };

/** aTlsOptions checks the options of TLS. */
export const aTlsOptions: Rule = (field, value) => checkFields(`${field}.`, field, value, TLS_RULES);

/** tlsCredentials makes the credentials of TLS. @throws BtfError INVALID_REQUEST for what OpenSSL cannot read. */
export function tlsCredentials({ ca, cert, key }: TlsOptions): ChannelCredentials {
  if ((cert === undefined) !== (key === undefined)) {
    throw invalidArgument('tls', 'must have either both cert and key, or neither');
  }
  try {
    return credentials.createSsl(buffer(ca), buffer(key), buffer(cert));
  } catch (error) {
    throw invalidArgument('tls', `must be PEM that belongs together: ${String(error)}`);
  }
}

/** tlsChannelOptions are the options of the channel that go with TLS. */
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

/** Whether PEM has a certificate, which may have others behind it. */
function isCertificate(pem: Pem): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== '';
  } catch {
    return false;
  }
}
