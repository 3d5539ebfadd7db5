import { rule } from '../error/argument.js';

const MAX_PORT = 65_535;

/**
 * anAddress is the rule of a daemon's address. grpc-js would try to resolve anything else as a name, again and again. Of
 * `unix://some/path` it would take `some` as a host, and the rest as a path from the working directory.
 */
export const anAddress = rule(
  'unix:/PATH or HOST:PORT',
  (value) => typeof value === 'string' && (/^unix:(?:\/\/)?\/[^/]/.test(value) || hasPort(value)),
);

/** hostOf returns the host of an address, with or without a scheme, and without brackets; null if it has no port. */
export function hostOf(address: string): string | null {
  const [, v6, name] = /^(?:\w+:(?:\/\/[^/]*\/)?)?(?:\[([^\]]+)\]|([^:]+)):\d+$/.exec(address) ?? [];
  return v6 ?? name ?? null;
}

function hasPort(address: string): boolean {
  const port = /^(?!https?:).+:(\d+)$/.exec(address)?.[1];
  return port !== undefined && Number(port) <= MAX_PORT;
}
