import { existsSync, readFileSync } from 'node:fs';
import { release, version } from 'node:os';
import { kernelVersionOf } from '@btfd/btf';

/** Only Ubuntu has it. */
const SIGNATURE = '/proc/version_signature';

/** runningVersion returns the version of this machine's kernel as in `LINUX_KERNEL_VERSION`; null if it is not known. */
export function runningVersion(): number | null {
  const signature = existsSync(SIGNATURE) ? readFileSync(SIGNATURE, 'utf8') : '';
  return kernelVersionOf({ signature, version: version(), release: release() });
}
