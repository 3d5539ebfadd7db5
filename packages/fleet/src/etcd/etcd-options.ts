import { createSecureContext } from 'node:tls';
import type { Pem } from '@btfd/client';
import { invalidArgument } from '../base/argument.js';
import { oneLine } from '../base/one-line.js';

/** EtcdTls are the certificates for TLS to etcd, as PEM. */
export interface EtcdTls {
  /** The authorities that the certificates of etcd's members must be from. */
  readonly ca: Pem;
  /** The client certificate, with `key`. Default: none. */
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
}

/** EtcdUser is a user of etcd's own, for etcd with `auth enable`. */
export interface EtcdUser {
  readonly name: string;
  readonly password: string;
}

/** EtcdOptions say where etcd is and how to connect to it. */
export interface EtcdOptions {
  /**
   * The addresses of etcd's members: `HOST:PORT`, `http://HOST:PORT`, `https://HOST:PORT`, or `unix:/PATH`. If one member
   * does not respond, another one is asked.
   */
  readonly hosts: readonly string[];
  /** The beginning of all keys of nodes. The rest of a key is the name of the node. Default: `/btfd/nodes/`. */
  readonly prefix?: string | undefined;
  /**
   * TLS with these certificates. A function is called before each new connection, so that it can read files that change.
   * Default: TLS with the authorities of Node for `https:`, otherwise no TLS.
   */
  readonly tls?: EtcdTls | (() => EtcdTls | Promise<EtcdTls>) | undefined;
  /** Default: no user of etcd's own; etcd may take the user from the client certificate. */
  readonly user?: EtcdUser | undefined;
}

/** ETCD_OPTIONS are the names of the {@link EtcdOptions}. */
export const ETCD_OPTIONS: readonly (keyof EtcdOptions)[] = ['hosts', 'prefix', 'tls', 'user'];

const DEFAULT_PREFIX = '/btfd/nodes/';
/** As long as the longest name of a node: a key of etcd has no limit of its own. */
const MAX_PREFIX = 253;
/** A cluster of etcd has up to seven members. */
const MAX_HOSTS = 32;
const HOST = /^(?:https?:\/\/)?(?:\[[\da-fA-F:.]+\]|[\w.-]+):\d{1,5}\/?$/;
const UNIX = /^unix:(?:\/\/)?\/[!-~]+$/;

/** CheckedEtcd are checked {@link EtcdOptions}. */
export interface CheckedEtcd {
  readonly hosts: readonly string[];
  readonly prefix: string;
  /** The keys of the prefix: from `start`, before `end`. */
  readonly range: { readonly start: Buffer; readonly end: Buffer };
  readonly tls: EtcdOptions['tls'];
  readonly user: EtcdUser | undefined;
  /** The hosts and the prefix in words, for messages. */
  readonly description: string;
}

/** checkEtcd checks options. @throws BtfError INVALID_REQUEST for one that cannot be used. */
export function checkEtcd({ hosts, prefix = DEFAULT_PREFIX, tls, user }: EtcdOptions): CheckedEtcd {
  if (!Array.isArray(hosts) || hosts.length === 0 || hosts.length > MAX_HOSTS) {
    throw invalidArgument('hosts', `must be a list of 1 to ${MAX_HOSTS} addresses`);
  }
  for (const host of hosts) {
    if (HOST.test(host) || UNIX.test(host)) continue;
    throw invalidArgument(
      'hosts',
      `invalid address "${oneLine(String(host))}": use HOST:PORT, https://HOST:PORT or unix:/PATH`,
    );
  }
  const secure = hosts.filter((host) => host.startsWith('https:')).length;
  if (secure > 0 && secure < hosts.length) {
    throw invalidArgument('hosts', 'must all begin with https:// if one does');
  }
  if (tls !== undefined && hosts.some((host) => host.startsWith('http:'))) {
    throw invalidArgument('hosts', 'begin with http://, but there is `tls`: use https://');
  }
  if (!/^[!-~]+$/.test(prefix) || prefix.length > MAX_PREFIX) {
    throw invalidArgument('prefix', `must be 1 to ${MAX_PREFIX} printable ASCII characters without spaces`);
  }
  if (typeof tls === 'object') credentialsOf(tls);
  if (user !== undefined && (user.name === '' || user.password === '')) {
    throw invalidArgument('user', 'must have a name and a password');
  }
  const checked = hosts.map((host) => host.replace(/\/$/, ''));
  return {
    hosts: checked,
    prefix,
    range: rangeOf(prefix),
    tls,
    user,
    description: `etcd ${checked.join(',')}, keys ${prefix}*`,
  };
}

function rangeOf(prefix: string): CheckedEtcd['range'] {
  const start = Buffer.from(prefix, 'latin1');
  const end = Buffer.from(start);
  const last = end.length - 1;
  // It is a printable character, so there is a next one.
  end[last] = (end[last] ?? 0) + 1;
  return { start, end };
}

/** credentialsOf returns etcd3's form of certificates. @throws BtfError INVALID_REQUEST if they cannot be used. */
export function credentialsOf({ ca, cert, key }: EtcdTls): {
  rootCertificate: Buffer;
  certChain?: Buffer;
  privateKey?: Buffer;
} {
  if ((cert === undefined) !== (key === undefined)) {
    throw invalidArgument('tls', 'must have both `cert` and `key`, or neither');
  }
  try {
    createSecureContext({ ca: textOf(ca), cert: textOf(cert), key: textOf(key) });
  } catch (error) {
    throw invalidArgument(
      'tls',
      `cannot be used: ${oneLine(error instanceof Error ? error.message : String(error))}`,
    );
  }
  return {
    rootCertificate: Buffer.from(ca),
    ...(cert === undefined ? {} : { certChain: Buffer.from(cert) }),
    ...(key === undefined ? {} : { privateKey: Buffer.from(key) }),
  };
}

function textOf(pem: Pem | undefined): string | undefined {
  return pem === undefined ? undefined : Buffer.from(pem).toString('latin1');
}
