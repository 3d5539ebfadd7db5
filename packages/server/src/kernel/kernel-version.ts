import { readFileSync } from 'node:fs';
import { release, version } from 'node:os';
import { kernelVersionOf } from '@btfd/btf';

/** runningKernelVersion returns the version of the running kernel; null if it is unknown. */
export function runningKernelVersion(): number | null {
  return kernelVersionOf({ signature: versionSignature(), version: version(), release: release() });
}

function versionSignature(): string {
  try {
    return readFileSync('/proc/version_signature', 'utf8');
  } catch {
    // Only Ubuntu has it.
    return '';
  }
}
