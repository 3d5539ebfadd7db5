import type { ChannelOptions } from '@grpc/grpc-js';
import { aString, fieldsOf, rule, type Rule } from '../error/argument.js';

/** DEFAULT_CHANNEL_OPTIONS are the options of grpc-js that are in force unless `channelOptions` replaces them. */
export const DEFAULT_CHANNEL_OPTIONS: ChannelOptions = {
  // Only a ping finds out that a daemon stopped or that a network path is dead.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // A daemon is found at once after a restart, and within seconds after a long absence.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5_000,
  // With HTTP/2's own 64 KiB a vmlinux of 5.5 MB took three times as long over a unix socket.
  'grpc-node.flow_control_window': 8 * 1024 * 1024,
  // A rejection with the longest log, 4 MiB, exceeds the default of 4 MiB by its framing.
  'grpc.max_receive_message_length': 5 * 1024 * 1024,
  // The daemon publishes no service config, so the DNS server need not be asked for one.
  'grpc.service_config_disable_resolution': 1,
  // Clients never share connections. The pool of the process keeps an entry for each address that it ever had, and each
  // closing looks through all of them.
  'grpc.use_local_subchannel_pool': 1,
};

/** The options of grpc-js that are strings; the others are numbers. */
const STRING_OPTIONS: ReadonlySet<string> = new Set([
  'grpc.ssl_target_name_override',
  'grpc.primary_user_agent',
  'grpc.secondary_user_agent',
  'grpc.default_authority',
  'grpc.service_config',
  'grpc.http_connect_target',
  'grpc.http_connect_creds',
] satisfies (keyof ChannelOptions)[]);

const aNumber = rule('a number', (value) => typeof value === 'number' && !Number.isNaN(value));

/** The largest flow-control window of HTTP/2. */
const MAX_WINDOW = 2 ** 31 - 1;

const aWindow = rule(
  `an integer from 0 to ${MAX_WINDOW}`,
  (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_WINDOW,
);

/** someChannelOptions is the rule of the option. grpc-js accepts any value, and some of them end the process later. */
export const someChannelOptions: Rule = (field, value) => {
  for (const [key, option] of fieldsOf(field, value)) {
    if (option !== undefined) ruleOf(key)?.(`${field}.${key}`, option);
  }
};

function ruleOf(key: string): Rule | null {
  if (key === 'grpc-node.flow_control_window') return aWindow;
  if (STRING_OPTIONS.has(key)) return aString;
  return key.startsWith('grpc') ? aNumber : null;
}
