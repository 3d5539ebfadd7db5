import { readlinkSync } from 'node:fs';

/** The name of the initial user namespace: its number is a constant of the kernel (PROC_USER_INIT_INO). */
const INITIAL = 'user:[4026531837]';

/**
 * inUserNamespace reports whether this process runs in a user namespace other than the initial one, in which root has no
 * rights for bpf(2). It is false if the kernel does not say.
 *
 * @param link - the link that names the namespace
 */
export function inUserNamespace(link = '/proc/self/ns/user'): boolean {
  try {
    return readlinkSync(link) !== INITIAL;
  } catch {
    return false;
  }
}
