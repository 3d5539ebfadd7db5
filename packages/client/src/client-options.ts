import { type ChannelCredentials, type ChannelOptions, credentials, type Interceptor } from '@grpc/grpc-js';
import { countArgument, invalidArgument } from './argument.js';
import type { CallMetadata } from './call-metadata.js';
import type { ConnectionOptions } from './connection.js';
import type { DaemonChange } from './daemon-pin.js';
import { tlsChannelOptions, tlsCredentials, type TlsOptions } from './tls-options.js';

/** BtfClientOptions are the options of a {@link BtfClient}. */
export interface BtfClientOptions {
  /** Connect by TLS; `{}` trusts whom Node trusts. Default: no TLS, which is what a unix socket takes. */
  readonly tls?: TlsOptions | undefined;
  /** Credentials of grpc-js, in place of `tls`. */
  readonly credentials?: ChannelCredentials | undefined;
  /**
   * Deadline of calls that answer at once, in milliseconds. Default: 10 s. `loadHandle` has 120 s, because
   * the kernel's check can take seconds and the daemon loads one BTF at a time; a transfer of BTF has 120 s; an
   * iteration has none.
   */
  readonly timeout?: number | undefined;
  /**
   * How often a call is repeated, after pauses that grow from 0.1 s to 5 s, all within its deadline: when the daemon
   * cannot be reached and repeating does no harm, and when it says when to come back. What may have opened a handle is
   * not repeated. Default: 5, some 3 s; 0 for never.
   */
  readonly retries?: number | undefined;
  /** What to send with every call besides, or a function that is asked for it at each. Keys are in lower case. */
  readonly metadata?: CallMetadata | (() => CallMetadata) | undefined;
  /** Interceptors of grpc-js, the first outermost. They see each attempt of a call. */
  readonly interceptors?: readonly Interceptor[] | undefined;
  /**
   * Told when another daemon answers than before, soon after the connection broke. Handles of the daemon before are
   * lost then, each of which tells so by its `lost`; what was learnt by BTF id may be wrong where the boot id changed.
   * With it, the client asks each new connection who is there.
   */
  readonly onDaemonChange?: ((change: DaemonChange) => void) | undefined;
  /** Bytes of BTF to keep in memory. Default: 64 MiB: a kernel with all modules of a distribution. */
  readonly specCacheBytes?: number | undefined;
  /**
   * A folder to keep the BTF of kernels and modules in, also for other processes and for later; it is made if it
   * does not exist. Files are read again only if they are what their name says, and whatever goes wrong with the folder
   * costs a transfer, never a call. Default: none.
   */
  readonly specCacheDir?: string | undefined;
  /** Bytes to keep in that folder; what was not used longest goes. Default: 512 MiB. */
  readonly specCacheDirBytes?: number | undefined;
  /**
   * Options of grpc-js that replace or join those in force: keepalive every 30 s during calls, a
   * flow-control window of 8 MiB, messages received of at most 5 MiB, no service config from DNS, reconnects after
   * 0.1 s to 5 s.
   */
  readonly channelOptions?: ChannelOptions | undefined;
}

/** credentialsOf are the credentials that options ask for. @throws BtfError INVALID_REQUEST. */
export function credentialsOf({ tls, credentials: given }: BtfClientOptions): ChannelCredentials {
  if (tls === undefined) return given ?? credentials.createInsecure();
  if (given !== undefined) throw invalidArgument('tls', 'must not be given together with credentials');
  return tlsCredentials(tls);
}

/** connectionOptions are the options of the connection that options ask for. @throws BtfError INVALID_REQUEST. */
export function connectionOptions(options: BtfClientOptions): ConnectionOptions {
  const { tls = {}, channelOptions = {}, interceptors, metadata, retries } = options;
  return {
    channelOptions: { ...tlsChannelOptions(tls), ...channelOptions },
    interceptors,
    metadata,
    retries: retries === undefined ? undefined : countArgument('retries', retries),
  };
}
