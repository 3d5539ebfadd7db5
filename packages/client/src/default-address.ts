import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * defaultAddress is where the daemon of the same user listens unless it was told otherwise:
 * `unix:/run/btfd/btfd.sock` for root; for others `btfd/btfd.sock` in `$XDG_RUNTIME_DIR`, or else in `btfd-UID` in
 * the folder for temporary files.
 */
export function defaultAddress(): string {
  const uid = process.getuid?.() ?? 0;
  const dir = uid === 0 ? '/run' : (process.env['XDG_RUNTIME_DIR'] ?? join(tmpdir(), `btfd-${uid}`));
  return `unix:${join(dir, 'btfd', 'btfd.sock')}`;
}
