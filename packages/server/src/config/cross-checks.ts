import { LIMIT_SETTINGS } from './limits.js';
import type { TlsFiles } from '../auth/tls-files.js';
import { whyRefused } from './refusal.js';
import type { Config } from './config.js';
import type { Setting } from './setting.js';
import { ACCESS, SERVING } from './settings.js';

const LIMITS = LIMIT_SETTINGS;

/** Which setting must not exceed which. */
const AT_MOST: readonly (readonly [smaller: Setting<number>, larger: Setting<number>])[] = [
  [LIMITS.minTtlMs, LIMITS.defaultTtlMs],
  [LIMITS.defaultTtlMs, LIMITS.maxTtlMs],
  [LIMITS.minBookmarkMs, LIMITS.defaultBookmarkMs],
  [LIMITS.defaultBookmarkMs, LIMITS.maxBookmarkMs],
  [LIMITS.defaultLogBytes, LIMITS.maxLogBytes],
  [LIMITS.maxBtfBytes, LIMITS.maxLoadMessageBytes],
  [LIMITS.maxMessageBytes, LIMITS.maxLoadMessageBytes],
  [LIMITS.maxJobsPerPrincipal, LIMITS.maxJobs],
  [LIMITS.maxHandlesPerPrincipal, LIMITS.maxHandles],
  [LIMITS.maxHeldBtfBytesPerPrincipal, LIMITS.maxHeldBtfBytes],
  [LIMITS.maxCallsPerPrincipal, LIMITS.maxCalls],
  [LIMITS.maxStreamsPerPrincipal, LIMITS.maxStreams],
  [LIMITS.maxConnectionsPerPrincipal, LIMITS.maxConnections],
  [LIMITS.maxSpecBytesPerPrincipal, LIMITS.maxSpecBytes],
];

/** crossProblems tells where settings that are fine by themselves do not go together. */
export function crossProblems(config: Config): string[] {
  const problems: string[] = [];
  for (const [smaller, larger] of AT_MOST) {
    if (config.get(smaller) > config.get(larger)) {
      problems.push(`${told(config, smaller)} is more than ${told(config, larger)}`);
    }
  }
  const { keepaliveMs, drainMs } = LIMITS;
  if (config.get(keepaliveMs) <= config.get(drainMs)) {
    const why = 'a ping would end calls that may still go on';
    problems.push(`${told(config, keepaliveMs)} is not more than ${told(config, drainMs)}: ${why}`);
  }
  const tls = tlsProblems(config);
  // Whether there is TLS is not known while that is wrong.
  return [...problems, ...tls, ...(tls.length === 0 ? listenProblems(config) : [])];
}

/** tlsOf is the files of TLS, null where none is given; all three are needed where one is. */
export function tlsOf(config: Config): TlsFiles | null {
  const [cert, key, clientCa] = [ACCESS.tlsCert, ACCESS.tlsKey, ACCESS.tlsClientCa].map((each) =>
    config.get(each),
  );
  return isPath(cert) && isPath(key) && isPath(clientCa) ? { cert, key, clientCa } : null;
}

function isPath(value: string | null | undefined): value is string {
  return typeof value === 'string';
}

function tlsProblems(config: Config): string[] {
  const files = [ACCESS.tlsCert, ACCESS.tlsKey, ACCESS.tlsClientCa];
  const missing = files.filter((each) => config.get(each) === null);
  if (missing.length === 0 || missing.length === files.length) return [];
  const names = files.map(({ name }) => name).join(', ');
  return [`${names} need each other: ${missing.map(({ name }) => name).join(', ')} is not given`];
}

function listenProblems(config: Config): string[] {
  const origin = config.originOf(SERVING.listen) ?? SERVING.listen.name;
  const given = { tls: tlsOf(config) !== null, insecure: config.get(SERVING.insecure) };
  return config.get(SERVING.listen).flatMap((address) => {
    const refusal = whyRefused(address, given);
    return refusal === null ? [] : [`${origin}: ${refusal}`];
  });
}

/** A setting with its value, and where that came from. */
function told(config: Config, setting: Setting<unknown>): string {
  return `${setting.name} ${config.format(setting)} (${config.originOf(setting) ?? 'default'})`;
}
