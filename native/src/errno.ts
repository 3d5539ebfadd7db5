import { getSystemErrorMap } from 'node:util';

/** The kernel's own ENOTSUPP, which was never meant for user space but reaches it from bpf(2). No libc knows it. */
const ENOTSUPP = 524;

/** errnoName is the symbol of a positive errno, `E<n>` where it has none. */
export function errnoName(errno: number): string {
  return errno === ENOTSUPP ? 'ENOTSUPP' : (getSystemErrorMap().get(-errno)?.[0] ?? `E${errno}`);
}

/** errnoText is the sentence for a positive errno. */
export function errnoText(errno: number): string {
  return errno === ENOTSUPP
    ? 'operation is not supported'
    : (getSystemErrorMap().get(-errno)?.[1] ?? 'unknown error');
}
