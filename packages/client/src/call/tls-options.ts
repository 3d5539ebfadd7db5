import { X509Certificate } from 'node:crypto';
import type { ChannelOptions } from '@grpc/grpc-js';
import {
  aFunction,
  aString,
  checkFields,
  invalidArgument,
  rule,
  type Rule,
  type Rules,
} from '../error/argument.js';

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
  /**
   * The name that the daemon's certificate must have, or its IP address. Default: the host of the address; required for a
   * unix socket.
   */
  readonly serverName?: string | undefined;
}

/**
 * TlsFiles are the options of a TLS connection whose certificates are in files. The files are read at once, and again before
 * each new connection. While changed files cannot be used, for example because another program is still writing them, the
 * earlier contents stay in use.
 */
export interface TlsFiles {
  /** The file with `ca` of {@link TlsOptions}. Default: the authorities that Node trusts. */
  readonly caFile?: string | undefined;
  /** The file with `cert` of {@link TlsOptions}. It needs `keyFile`. Default: none. */
  readonly certFile?: string | undefined;
  /** The file with the private key of the certificate. Default: none. */
  readonly keyFile?: string | undefined;
  /** As in {@link TlsOptions}. */
  readonly serverName?: string | undefined;
  /** Called when changed files cannot be used, once for each problem. Default: none. */
  readonly onProblem?: ((error: Error) => void) | undefined;
}

/**
 * Tls are the options of a TLS connection: contents, files, or a function that returns the contents. The function is called
 * before each new connection. If it throws, the connection fails.
 */
export type Tls = TlsOptions | TlsFiles | (() => TlsOptions | Promise<TlsOptions>);

const aPem = rule('PEM, as a string or the bytes of a file', isPem);
const aFile = rule('the path of a file', (value) => typeof value === 'string' && value !== '');

/** OpenSSL accepts any text as authorities, and then trusts nobody. */
const certificates: Rule = (field, value) => {
  aPem(field, value);
  if (isPem(value) && !isCertificate(value)) throw invalidArgument(field, 'must be certificates in PEM');
};

const TLS_RULES: Rules<TlsOptions> = { ca: certificates, cert: aPem, key: aPem, serverName: aString };
const FILE_RULES: Rules<TlsFiles> = {
  caFile: aFile,
  certFile: aFile,
  keyFile: aFile,
  serverName: aString,
  onProblem: aFunction,
};

/** aTls is the rule of the option `tls`. */
export const aTls: Rule = (field, value) => {
  if (typeof value === 'function') return;
  if (hasFiles(value)) checkFields(`${field}.`, field, value, FILE_RULES);
  else checkFields(`${field}.`, field, value, TLS_RULES);
};

/** aTlsOptions is the rule of what a function of the option `tls` returns. */
export const aTlsOptions: Rule = (field, value) => checkFields(`${field}.`, field, value, TLS_RULES);

/** isTlsFiles reports whether options name files. */
export function isTlsFiles(tls: TlsOptions | TlsFiles): tls is TlsFiles {
  return hasFiles(tls);
}

/** serverNameOf returns the server name of options that have it before a connection is made. */
export function serverNameOf(tls: Tls | undefined): string | undefined {
  return typeof tls === 'object' ? tls.serverName : undefined;
}

/** tlsChannelOptions returns the channel options that TLS needs. */
export function tlsChannelOptions(tls: Tls | undefined): ChannelOptions {
  const serverName = serverNameOf(tls);
  if (serverName === undefined) return {};
  return { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName };
}

function hasFiles(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['caFile', 'certFile', 'keyFile', 'onProblem'].some((key) => key in value)
  );
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
