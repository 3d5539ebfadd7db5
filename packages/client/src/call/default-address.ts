import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

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
