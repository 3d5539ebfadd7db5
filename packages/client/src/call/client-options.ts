import { ChannelCredentials, type ChannelOptions, credentials, type Interceptor } from '@grpc/grpc-js';
import {
  aCount,
  aFunction,
  aListOf,
  checkOptions,
  invalidArgument,
  milliseconds,
  must,
  type Rules,
} from '../error/argument.js';
import { type CallMetadata, callMetadata, someMetadata } from './call-metadata.js';
import { someChannelOptions } from './channel-options.js';
import type { ConnectionOptions } from './connection.js';
import type { DaemonChange } from './daemon-pin.js';
import { aTlsOptions, tlsChannelOptions, tlsCredentials, type TlsOptions } from './tls-options.js';

const MAX_PORT = 65_535;

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

const CLIENT_RULES: Rules<BtfClientOptions> = {
  tls: aTlsOptions,
  credentials: must('ChannelCredentials of grpc-js', (value) => value instanceof ChannelCredentials),
  timeout: milliseconds,
  retries: aCount,
  metadata: someMetadata,
  interceptors: aListOf(aFunction),
  onDaemonChange: aFunction,
  specCacheBytes: aCount,
  specCacheDir: must('the path of a folder', (value) => typeof value === 'string' && value !== ''),
  specCacheDirBytes: aCount,
  channelOptions: someChannelOptions,
};

/** What grpc-js would take for a name to be resolved, and try again and again. */
const anAddress = must(
  'unix:/path or host:port',
  (value) => typeof value === 'string' && (/^unix:./.test(value) || hasPort(value)),
);

/** checkClientOptions checks what a client is made of. @throws BtfError INVALID_REQUEST. */
export function checkClientOptions(address: string, options: BtfClientOptions): void {
  anAddress('address', address);
  checkOptions(options, CLIENT_RULES);
  const { tls, credentials: given, metadata } = options;
  if (typeof metadata === 'object') callMetadata(metadata);
  if (tls === undefined) return;
  if (given !== undefined) throw invalidArgument('tls', 'must not be given together with credentials');
  // A tunnel to a daemon on TCP may end in a unix socket: then the name is all that its certificate can be held against.
  if (address.startsWith('unix:') && tls.serverName === undefined) {
    throw invalidArgument(
      'tls',
      'must not be given for a unix socket, on which no daemon speaks TLS, without serverName',
    );
  }
}

/** credentialsOf are the credentials that options ask for. @throws BtfError INVALID_REQUEST for PEM that cannot be used. */
export function credentialsOf({ tls, credentials: given }: BtfClientOptions): ChannelCredentials {
  if (tls === undefined) return given ?? credentials.createInsecure();
  return tlsCredentials(tls);
}

/** connectionOptions are the options of the connection that options ask for. */
export function connectionOptions(options: BtfClientOptions): ConnectionOptions {
  const { tls = {}, channelOptions = {}, interceptors, metadata, retries } = options;
  return {
    channelOptions: { ...tlsChannelOptions(tls), ...channelOptions },
    interceptors,
    metadata,
    retries,
  };
}

function hasPort(address: string): boolean {
  const port = /^(?!https?:).+:(\d+)$/.exec(address)?.[1];
  return port !== undefined && Number(port) <= MAX_PORT;
}
