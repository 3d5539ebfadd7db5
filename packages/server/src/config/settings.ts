import { LIMIT_SETTINGS } from './limits.js';
import { formatAddress, type TcpAddress } from '../base/address.js';
import { setting, type Setting } from './setting.js';
import { ADDRESSES, choice, DIRECTORY, FILE, GROUP, METRICS_ADDRESS, PRINCIPALS, SWITCH } from './kinds.js';

/** LOG_FORMATS are the formats of log lines. `auto` is `pretty` on a terminal and `json` elsewhere. */
export const LOG_FORMATS = ['auto', 'json', 'pretty'] as const;

/** LogFormat is one of LOG_FORMATS. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** DEFAULT_METRICS_ADDRESS is the default address of metrics, which only this machine can reach. */
export const DEFAULT_METRICS_ADDRESS: TcpAddress = { kind: 'tcp', host: '127.0.0.1', port: 9755 };

/** SERVING are the settings of where to listen and what to serve. */
export const SERVING = {
  listen: setting({
    name: 'listen',
    kind: ADDRESSES,
    fallback: [],
    fallbackText: 'unix:/run/btfd/btfd.sock for root',
    description: 'addresses to listen on: unix:PATH or HOST:PORT',
    reason: 'Where clients look for the daemon of the same user.',
  }),
  insecure: setting({
    name: 'insecure',
    kind: SWITCH,
    fallback: false,
    description: 'allow HOST:PORT without TLS, on loopback only: every local user can connect',
    reason: 'Who can connect can read the types of the kernel, in clear text.',
  }),
  btfDir: setting({
    name: 'btf-dir',
    kind: DIRECTORY,
    fallback: null,
    description: 'serve the raw BTF files of a folder instead of the kernel',
    reason: 'The kernel is what is asked about.',
  }),
};

/** ACCESS are the settings of who may connect and do what. */
export const ACCESS = {
  tlsCert: setting({
    name: 'tls-cert',
    kind: FILE,
    fallback: null,
    description: 'certificate of the daemon in PEM, for TLS on HOST:PORT; read again when it changes',
    reason: 'Unix sockets need none.',
  }),
  tlsKey: setting({
    name: 'tls-key',
    kind: FILE,
    fallback: null,
    description: 'key of the certificate, in PEM',
    reason: 'As for the certificate.',
  }),
  tlsClientCa: setting({
    name: 'tls-client-ca',
    kind: FILE,
    fallback: null,
    description: 'authorities of client certificates, in PEM',
    reason: 'As for the certificate.',
  }),
  tlsCn: setting({
    name: 'tls-cn',
    kind: SWITCH,
    fallback: false,
    description: 'let the common name of a certificate be a principal (cn:)',
    reason: 'Authorities vouch for the other names; what is in a common name is not said anywhere.',
  }),
  policy: setting({
    name: 'policy',
    kind: FILE,
    fallback: null,
    description: 'who may do what: a YAML file, read again when it changes',
    reason: 'Root and who runs the daemon load, the group of the socket views; that is enough for one node.',
  }),
  viewer: setting({
    name: 'viewer',
    kind: PRINCIPALS,
    fallback: [],
    description: 'who may see the kernel’s objects, such as gid:27 or uri:spiffe://x/y',
    reason: 'Certificates that nobody named are nobody’s.',
  }),
  inspector: setting({
    name: 'inspector',
    kind: PRINCIPALS,
    fallback: [],
    description: 'who may see users’ objects too',
    reason: 'As for viewers.',
  }),
  loader: setting({
    name: 'loader',
    kind: PRINCIPALS,
    fallback: [],
    description: 'who may load BTF too',
    reason: 'As for viewers.',
  }),
  socketGroup: setting({
    name: 'socket-group',
    kind: GROUP,
    fallback: null,
    fallbackText: 'the daemon’s own',
    description: 'group of unix sockets, by number or name; its members may connect',
    reason: 'No other group is known to be meant.',
  }),
};

/** OBSERVING are the settings of what operators see of the daemon. */
export const OBSERVING = {
  logLevel: setting({
    name: 'log-level',
    kind: choice('LEVEL', ['debug', 'info', 'warn', 'error', 'silent']),
    fallback: 'info',
    description: 'log from this level on, to standard error',
    reason:
      'A line for each load, refusal and failure, and for what an operator does; debug has one for every call.',
  }),
  logFormat: setting<LogFormat>({
    name: 'log-format',
    kind: choice('FORMAT', LOG_FORMATS),
    fallback: 'auto',
    description: 'write logs as json or pretty; auto is pretty on a terminal',
    reason: 'People read terminals, programs read the rest.',
  }),
  metricsListen: setting({
    name: 'metrics-listen',
    kind: METRICS_ADDRESS,
    fallback: null,
    fallbackText: `${formatAddress(DEFAULT_METRICS_ADDRESS)} if it is free`,
    description: 'serve metrics, /healthz and /readyz over HTTP on HOST:PORT, to whoever can connect; or off',
    reason: 'For this machine alone; nobody who takes the port keeps the daemon from starting.',
  }),
};

/** SettingGroup is a heading and what stands under it in help and documentation. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: readonly Setting<unknown>[];
}

/** SETTING_GROUPS are all settings, in the order in which they are told. */
export const SETTING_GROUPS: readonly SettingGroup[] = [
  { title: 'Serving', settings: Object.values(SERVING) },
  { title: 'Access', settings: Object.values(ACCESS) },
  { title: 'Logs and metrics', settings: Object.values(OBSERVING) },
  { title: 'Limits', settings: Object.values(LIMIT_SETTINGS) },
];

/** SETTINGS are all settings. */
export const SETTINGS: readonly Setting<unknown>[] = SETTING_GROUPS.flatMap(({ settings }) => settings);
