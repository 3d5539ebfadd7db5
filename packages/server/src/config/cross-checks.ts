import type { TlsFiles } from '../auth/tls-files.js';
import { whyRefused } from '../base/address.js';
import type { Config } from './config.js';
import { LIMIT_SETTINGS } from './limit-settings.js';
import type { Setting } from './setting.js';
import { ACCESS, SERVING } from './settings.js';

const LIMITS = LIMIT_SETTINGS;

/** Pairs of settings of which the first must not exceed the second. */
const AT_MOST: readonly (readonly [smaller: Setting<number>, larger: Setting<number>])[] = [
  [LIMITS.minTtlMs, LIMITS.defaultTtlMs],
  [LIMITS.defaultTtlMs, LIMITS.maxTtlMs],
];

/** crossProblems returns the conflicts between settings that are valid on their own. */
export function crossProblems(config: Config): string[] {
  const problems: string[] = [];
  for (const [smaller, larger] of AT_MOST) {
    if (config.get(smaller) > config.get(larger)) {
      problems.push(`${describe(config, smaller)} is more than ${describe(config, larger)}`);
    }
  }
  const { keepaliveMs, drainMs } = LIMITS;
  if (config.get(keepaliveMs) <= config.get(drainMs)) {
    const why = 'a ping would end calls that may still continue';
    problems.push(`${describe(config, keepaliveMs)} is not more than ${describe(config, drainMs)}: ${why}`);
  }
  if (config.get(SERVING.bpfToken) !== null && config.get(SERVING.btfDir) !== null) {
    const why = 'a folder of files needs no access to the kernel';
    problems.push(`${describe(config, SERVING.bpfToken)} cannot be used with btf-dir: ${why}`);
  }
  const tls = tlsProblems(config);
  // While the TLS settings are wrong, it is not known whether there is TLS.
  return [...problems, ...tls, ...(tls.length === 0 ? listenProblems(config) : [])];
}

/** tlsOf returns the files of TLS, or null unless all three are given. */
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
  return [`${names} must be given together: missing ${missing.map(({ name }) => name).join(', ')}`];
}

function listenProblems(config: Config): string[] {
  const origin = config.originOf(SERVING.listen) ?? SERVING.listen.name;
  const given = { tls: tlsOf(config) !== null, insecure: config.get(SERVING.insecure) };
  return config.get(SERVING.listen).flatMap((address) => {
    const refusal = whyRefused(address, given);
    return refusal === null ? [] : [`${origin}: ${refusal}`];
  });
}

/** Returns a setting with its value and where that came from. */
function describe(config: Config, setting: Setting<unknown>): string {
  return `${setting.name} ${config.format(setting)} (${config.originOf(setting) ?? 'default'})`;
}
