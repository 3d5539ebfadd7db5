import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { rule } from '../error/argument.js';

const MAX_PORT = 65_535;

/**
 * defaultAddress returns the address on which the same user's daemon listens by default. It is
 * `unix:/run/btfd/btfd.sock` for root. For other users it is `btfd/btfd.sock` in `$XDG_RUNTIME_DIR` or, if that is not
 * set, `btfd-UID/btfd.sock` in the folder for temporary files.
 */
export function defaultAddress(): string {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return 'unix:/run/btfd/btfd.sock';
  const runtimeDir = process.env['XDG_RUNTIME_DIR'];
  // The XDG specification: a path that isn't absolute is to be ignored.
  const hasRuntimeDir = runtimeDir !== undefined && isAbsolute(runtimeDir);
  return `unix:${join(hasRuntimeDir ? join(runtimeDir, 'btfd') : join(tmpdir(), `btfd-${uid}`), 'btfd.sock')}`;
}

/**
 * anAddress is the rule of a daemon's address. grpc-js would try to resolve anything else as a name, again and again. Of
 * `unix://some/path` it would take `some` as a host, and the rest as a path from the working directory.
 */
export const anAddress = rule(
  'unix:/PATH or HOST:PORT',
  (value) => typeof value === 'string' && (/^unix:(?:\/\/)?\/[^/]/.test(value) || hasPort(value)),
);

function hasPort(address: string): boolean {
  const port = /^(?!https?:).+:(\d+)$/.exec(address)?.[1];
  return port !== undefined && Number(port) <= MAX_PORT;
}
