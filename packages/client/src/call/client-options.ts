import { ChannelCredentials, type ChannelOptions, credentials, type Interceptor } from '@grpc/grpc-js';
import {
  aCount,
  aFunction,
  aListOf,
  checkOptions,
  invalidArgument,
  milliseconds,
  rule,
  type Rules,
} from '../error/argument.js';
import { anAddress } from './address.js';
import { type CallMetadata, callMetadata, someMetadata } from './call-metadata.js';
import { someChannelOptions } from './channel-options.js';
import type { ConnectionOptions } from './connection.js';
import type { DaemonChange } from './daemon-pin.js';
import { tlsCredentials } from './tls-credentials.js';
import { aTls, serverNameOf, type Tls, tlsChannelOptions } from './tls-options.js';

/** BtfClientOptions are the options of a {@link BtfClient}. */
export interface BtfClientOptions {
  /**
   * Connect by TLS; `{}` trusts the authorities that Node trusts. Certificates in files, or of a function, may change: a new
   * connection uses the new ones. Default: no TLS, as a unix socket requires.
   */
  readonly tls?: Tls | undefined;
  /** Credentials of grpc-js, instead of `tls`. Default: none. */
  readonly credentials?: ChannelCredentials | undefined;
  /**
   * The deadline of short calls, in milliseconds. Default: 10 s, because a daemon in the same network responds within
   * milliseconds. It does not apply to three kinds of calls: `loadHandle` has 120 s, because the kernel's check can
   * take seconds and the daemon loads one BTF at a time; a transfer of BTF has 120 s; an iteration or watch has none.
   */
  readonly timeout?: number | undefined;
  /**
   * How often a call is repeated, within its deadline and after pauses that grow from 0.1 s to 5 s; 0 for never. A call
   * is repeated if the daemon cannot be reached and the call can be made twice without harm, or if the daemon says when
   * to come back. A call that may have opened a handle is not repeated. Default: 5, about 3 s, which is enough for a
   * daemon's restart.
   */
  readonly retries?: number | undefined;
  /** Metadata to add to every call, or a function that returns it for each. Keys are in lower case. Default: none. */
  readonly metadata?: CallMetadata | (() => CallMetadata) | undefined;
  /** Interceptors of grpc-js, the first outermost. They see each attempt of a call. Default: none. */
  readonly interceptors?: readonly Interceptor[] | undefined;
  /**
   * Called when the daemon was restarted or replaced, soon after the connection broke. All handles of the previous
   * daemon are lost then, and their `lost` signals abort. If the boot id changed too, BTF ids refer to other objects.
   * With this option the client makes one extra call on each new connection. Default: none.
   */
  readonly onDaemonChange?: ((change: DaemonChange) => void) | undefined;
  /** Bytes of BTF to keep in memory. Default: 64 MiB, enough for a kernel with all modules of a distribution. */
  readonly specCacheBytes?: number | undefined;
  /**
   * A folder to keep the BTF of kernels and modules in, for other processes and later runs; it is made if it does not
   * exist. A file is used only if its content has the digest in its name. A problem with the folder costs a transfer,
   * but never fails a call. Default: none.
   */
  readonly specCacheDir?: string | undefined;
  /** Bytes to keep in that folder; the least recently used files are removed. Default: 512 MiB, some ten kernels. */
  readonly specCacheDirBytes?: number | undefined;
  /**
   * Options of grpc-js, which replace or extend the defaults: keepalive every 30 s during calls, a flow-control window
   * of 8 MiB, received messages of at most 5 MiB, no service config from DNS, reconnects after 0.1 s to 5 s.
   */
  readonly channelOptions?: ChannelOptions | undefined;
}

const CLIENT_RULES: Rules<BtfClientOptions> = {
  tls: aTls,
  credentials: rule('ChannelCredentials of grpc-js', (value) => value instanceof ChannelCredentials),
  timeout: milliseconds,
  retries: aCount,
  metadata: someMetadata,
  interceptors: aListOf(aFunction),
  onDaemonChange: aFunction,
  specCacheBytes: aCount,
  specCacheDir: rule('the path of a folder', (value) => typeof value === 'string' && value !== ''),
  specCacheDirBytes: aCount,
  channelOptions: someChannelOptions,
};

/** checkClientOptions checks the arguments of a client's constructor. @throws BtfError INVALID_REQUEST. */
export function checkClientOptions(address: string, options: BtfClientOptions): void {
  anAddress('address', address);
  checkOptions(options, CLIENT_RULES);
  const { tls, credentials: given, metadata } = options;
  if (typeof metadata === 'object') callMetadata(metadata);
  if (tls === undefined) return;
  if (given !== undefined) throw invalidArgument('tls', 'must not be combined with credentials');
  // A tunnel to a daemon on TCP may end in a unix socket. Its certificate can be checked only against a name then.
  if (address.startsWith('unix:') && typeof tls === 'object' && serverNameOf(tls) === undefined) {
    throw invalidArgument(
      'tls',
      'must have a serverName for a unix socket: a daemon speaks TLS on TCP only, at the end of a tunnel',
    );
  }
}

/** credentialsOf returns the credentials of options. @throws BtfError INVALID_REQUEST for PEM or files that cannot be used. */
export function credentialsOf({ tls, credentials: given }: BtfClientOptions): ChannelCredentials {
  if (tls === undefined) return given ?? credentials.createInsecure();
  return tlsCredentials(tls);
}

/** connectionOptions returns the options of a client's connection. */
export function connectionOptions(options: BtfClientOptions): ConnectionOptions {
  const { tls, channelOptions = {}, interceptors, metadata, retries } = options;
  return {
    channelOptions: { ...tlsChannelOptions(tls), ...channelOptions },
    interceptors,
    metadata,
    retries,
  };
}
