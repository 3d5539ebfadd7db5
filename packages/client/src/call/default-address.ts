import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * defaultAddress is where the daemon of the same user listens unless it was told otherwise:
 * `unix:/run/btfd/btfd.sock` for root; for others `btfd/btfd.sock` in `$XDG_RUNTIME_DIR`, or else in `btfd-UID` in
 * the folder for temporary files.
 */
export function defaultAddress(): string {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return 'unix:/run/btfd/btfd.sock';
  const runtimeDir = process.env['XDG_RUNTIME_DIR'];
  // The XDG specification: a path that isn't absolute is to be ignored.
  const hasRuntimeDir = runtimeDir !== undefined && isAbsolute(runtimeDir);
  return `unix:${join(hasRuntimeDir ? join(runtimeDir, 'btfd') : join(tmpdir(), `btfd-${uid}`), 'btfd.sock')}`;
}
