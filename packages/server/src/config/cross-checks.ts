import { LIMIT_SETTINGS } from '../limits.js';
import { formatAddress, isLoopback, type Address } from '../listen/address.js';
import type { Config } from './config.js';
import { flagOf, type Setting } from './setting.js';
import { SERVING } from './settings.js';

const LIMITS = LIMIT_SETTINGS;

/** Which setting must not exceed which. */
const AT_MOST: readonly (readonly [smaller: Setting<number>, larger: Setting<number>])[] = [
  [LIMITS.minTtlMs, LIMITS.defaultTtlMs],
  [LIMITS.defaultTtlMs, LIMITS.maxTtlMs],
  [LIMITS.defaultLogBytes, LIMITS.maxLogBytes],
  [LIMITS.maxBtfBytes, LIMITS.maxLoadMessageBytes],
  [LIMITS.maxMessageBytes, LIMITS.maxLoadMessageBytes],
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
  const origin = config.originOf(SERVING.listen) ?? SERVING.listen.name;
  return [...problems, ...listenProblems(config, config.get(SERVING.listen), origin)];
}

/**
 * listenProblems tells which addresses may not be listened on: TCP without TLS is for loopback, and only where that
 * was asked for.
 */
export function listenProblems(config: Config, addresses: readonly Address[], origin: string): string[] {
  return addresses.flatMap((address) => {
    if (address.kind === 'unix') return [];
    const where = `${origin}: ${formatAddress(address)}`;
    if (!config.get(SERVING.insecure)) {
      return [`${where} has no TLS: any local user could connect; allow it with ${flagOf(SERVING.insecure)}`];
    }
    return isLoopback(address) ? [] : [`${where} is not loopback: without TLS nothing else is allowed`];
  });
}

/** A setting with its value, and where that came from. */
function told(config: Config, setting: Setting<unknown>): string {
  return `${setting.name} ${config.format(setting)} (${config.originOf(setting) ?? 'default'})`;
}
