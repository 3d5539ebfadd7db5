import { formatAddress, type TcpAddress } from '../base/address.js';
import {
  ADDRESSES,
  choice,
  DIRECTORY,
  FILE,
  GROUP,
  METRICS_ADDRESS,
  NODE_NAME,
  PRINCIPALS,
  SOCKET,
  SWITCH,
} from './kinds.js';
import { LIMIT_SETTINGS } from './limit-settings.js';
import { setting, type Setting } from './setting.js';

/** LOG_FORMATS are the formats of log lines. `auto` is `pretty` on a terminal and `json` elsewhere. */
export const LOG_FORMATS = ['auto', 'json', 'pretty'] as const;

/** LogFormat is one of LOG_FORMATS. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** DEFAULT_METRICS_ADDRESS is the default address of metrics. Only this machine can reach it. */
export const DEFAULT_METRICS_ADDRESS: TcpAddress = { kind: 'tcp', host: '127.0.0.1', port: 9755 };

/** SERVING are the settings for the addresses and for the source of BTF. */
export const SERVING = {
  listen: setting({
    name: 'listen',
    kind: ADDRESSES,
    fallback: [],
    fallbackText: 'unix:/run/btfd/btfd.sock for root',
    description: 'addresses to listen on: unix:PATH or HOST:PORT',
    reason: 'Clients of the same user look for the daemon there.',
  }),
  fdSocket: setting({
    name: 'fd-socket',
    kind: SOCKET,
    fallback: null,
    description: 'unix socket on which loaders of this machine get file descriptors of their handles',
    reason: 'Few programs need one, and the daemon cannot take it back.',
  }),
  insecure: setting({
    name: 'insecure',
    kind: SWITCH,
    fallback: false,
    description: 'allow HOST:PORT without TLS, on loopback only: every local user can connect',
    reason: 'Any local user who connects can read the types of the kernel, and they are sent in clear text.',
  }),
  btfDir: setting({
    name: 'btf-dir',
    kind: DIRECTORY,
    fallback: null,
    description: 'serve the raw BTF files of a folder instead of the kernel’s BTF',
    reason: 'Clients want the BTF of the running kernel.',
  }),
  bpfToken: setting({
    name: 'bpf-token',
    kind: DIRECTORY,
    fallback: null,
    description: 'make a BPF token of the bpffs that is mounted here, to load BTF in a user namespace',
    reason: 'In the initial user namespace capabilities are enough.',
  }),
  nodeName: setting({
    name: 'node-name',
    kind: NODE_NAME,
    fallback: null,
    fallbackText: 'NODE_NAME of the environment, otherwise the host name',
    description: 'name of this node for clients that ask many nodes',
    reason: 'A pod gets the name of its node from Kubernetes as NODE_NAME. Its host name is that of the pod.',
  }),
};

/** ACCESS are the settings for TLS, roles and the group of sockets. */
export const ACCESS = {
  tlsCert: setting({
    name: 'tls-cert',
    kind: FILE,
    fallback: null,
    description: 'certificate of the daemon in PEM, for TLS on HOST:PORT; read again when it changes',
    reason: 'Unix sockets need no certificate.',
  }),
  tlsKey: setting({
    name: 'tls-key',
    kind: FILE,
    fallback: null,
    description: 'key of the certificate, in PEM',
    reason: 'Unix sockets need no key.',
  }),
  tlsClientCa: setting({
    name: 'tls-client-ca',
    kind: FILE,
    fallback: null,
    description: 'authorities of client certificates, in PEM',
    reason: 'The kernel identifies the clients of unix sockets.',
  }),
  tlsCn: setting({
    name: 'tls-cn',
    kind: SWITCH,
    fallback: false,
    description: 'let the common name of a certificate be a principal (cn:)',
    reason: 'Authorities verify the other names, but many let clients choose the common name.',
  }),
  policy: setting({
    name: 'policy',
    kind: FILE,
    fallback: null,
    description: 'YAML file that gives roles to principals; read again when it changes',
    reason:
      'By default root and the user of the daemon may load, and the group of the socket may view. That is enough for one node.',
  }),
  viewer: setting({
    name: 'viewer',
    kind: PRINCIPALS,
    fallback: [],
    description: 'principal that may see the kernel’s objects, such as gid:27 or uri:spiffe://x/y',
    reason: 'No certificate has a role until one is assigned.',
  }),
  inspector: setting({
    name: 'inspector',
    kind: PRINCIPALS,
    fallback: [],
    description: 'principal that may also see users’ objects',
    reason: 'No certificate has a role until one is assigned.',
  }),
  loader: setting({
    name: 'loader',
    kind: PRINCIPALS,
    fallback: [],
    description: 'principal that may also load BTF',
    reason: 'No certificate has a role until one is assigned.',
  }),
  socketGroup: setting({
    name: 'socket-group',
    kind: GROUP,
    fallback: null,
    fallbackText: 'the daemon’s own',
    description: 'group of unix sockets, by number or name; its members may connect',
    reason: 'btfd cannot guess another group.',
  }),
};

/** OBSERVING are the settings for logs and metrics. */
export const OBSERVING = {
  logLevel: setting({
    name: 'log-level',
    kind: choice('LEVEL', ['debug', 'info', 'warn', 'error', 'silent']),
    fallback: 'info',
    description: 'lowest level that is logged, to standard error',
    reason:
      'Logs a line for each load, refusal, failure and action of an operator. debug adds one for every call.',
  }),
  logFormat: setting<LogFormat>({
    name: 'log-format',
    kind: choice('FORMAT', LOG_FORMATS),
    fallback: 'auto',
    description: 'format of log lines; auto is pretty on a terminal and json elsewhere',
    reason: 'People read terminals, and programs read everything else.',
  }),
  metricsListen: setting({
    name: 'metrics-listen',
    kind: METRICS_ADDRESS,
    fallback: null,
    fallbackText: `${formatAddress(DEFAULT_METRICS_ADDRESS)} if it is free`,
    description:
      'address that serves metrics, /healthz and /readyz over HTTP to anyone who can connect; or off',
    reason: 'Only this machine can reach it. The daemon starts even if the port is taken.',
  }),
};

/** SettingGroup is a heading in help and documentation, and the settings under it. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: readonly Setting<unknown>[];
}

/** SETTING_GROUPS are all settings in the order of help and documentation. */
export const SETTING_GROUPS: readonly SettingGroup[] = [
  { title: 'Serving', settings: Object.values(SERVING) },
  { title: 'Access', settings: Object.values(ACCESS) },
  { title: 'Logs and metrics', settings: Object.values(OBSERVING) },
  { title: 'Limits', settings: Object.values(LIMIT_SETTINGS) },
];

/** SETTINGS are all settings. */
export const SETTINGS: readonly Setting<unknown>[] = SETTING_GROUPS.flatMap(({ settings }) => settings);
