import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Address } from '../base/address.js';

/** defaultAddress is where the daemon listens unless told: a place of root's, or of the user's own. */
export function defaultAddress(uid: number, env: NodeJS.ProcessEnv): Address {
  if (uid === 0) return { kind: 'unix', path: '/run/btfd/btfd.sock' };
  const runtimeDir = env['XDG_RUNTIME_DIR'];
  // The XDG specification: a path that isn't absolute is to be ignored.
  const hasRuntimeDir = runtimeDir !== undefined && isAbsolute(runtimeDir);
  const dir = hasRuntimeDir ? join(runtimeDir, 'btfd') : join(tmpdir(), `btfd-${uid}`);
  return { kind: 'unix', path: join(dir, 'btfd.sock') };
}
