import type { HandleInfo as HandleInfoMessage, Origin as OriginNumber } from '@btfd/api';
import { ORIGIN_NUMBERS } from '../base/enum-numbers.js';
import { type ObjectUsers, objectUsersFromMessage } from './object-users.js';
import { digestKey } from '../btf/raw-btf.js';

/**
 * KnownOrigin is the origin of a BTF object: the kernel itself, a module, another part of the kernel such as
 * `vmlinux.inline`, or a user of bpf(2).
 */
export type KnownOrigin = 'vmlinux' | 'module' | 'kernel-other' | 'user';

/** Origin is a {@link KnownOrigin}, or `unknown` if a newer daemon reports another one. */
export type Origin = KnownOrigin | 'unknown';

/** HandleInfo describes a BTF object. It is plain data. Modelled on `btf.HandleInfo` of cilium/ebpf. */
export interface HandleInfo {
  /** The BTF id, valid only while something holds the object. 0 if the daemon sees the object only as a file. */
  readonly id: number;
  /** The kernel's name for the object: `vmlinux` or a module's name. Empty for users' objects and before Linux 5.11. */
  readonly name: string;
  readonly origin: Origin;
  /** Whether the object belongs to the kernel and not to a user. False before Linux 5.11. */
  readonly isKernel: boolean;
  /** The size of the raw BTF in bytes. */
  readonly size: number;
  /** Whether the object left the kernel's list while it was held, as an unloaded module's does. */
  readonly removed: boolean;
  /** Whether this is the kernel's own BTF: `isKernel` and named `vmlinux`, as IsVmlinux of cilium/ebpf. */
  readonly isVmlinux: boolean;
  /** Whether this is a module's BTF: `isKernel` and not named `vmlinux`, as IsModule of cilium/ebpf. */
  readonly isModule: boolean;
  /** The SHA-256 of the raw BTF in hexadecimal; null unless `details` requested it. */
  readonly digest: string | null;
  /** The users of the object; null unless `details` requested them. */
  readonly users: ObjectUsers | null;
}

const ORIGINS: Readonly<Record<number, Origin>> = {
  0: 'unknown',
  [ORIGIN_NUMBERS.vmlinux]: 'vmlinux',
  [ORIGIN_NUMBERS.module]: 'module',
  [ORIGIN_NUMBERS['kernel-other']]: 'kernel-other',
  [ORIGIN_NUMBERS.user]: 'user',
} satisfies Record<OriginNumber, Origin>;

/** handleInfoFromMessage returns the info in the message of the same name. */
export function handleInfoFromMessage(message: HandleInfoMessage): HandleInfo {
  const { id, name, origin, isKernel, size, removed, digest, users } = message;
  return {
    id,
    name,
    origin: ORIGINS[origin] ?? 'unknown',
    isKernel,
    size,
    removed,
    isVmlinux: isKernel && name === 'vmlinux',
    isModule: isKernel && name !== 'vmlinux',
    digest: digest.length === 0 ? null : digestKey(digest),
    users: users === undefined ? null : objectUsersFromMessage(users),
  };
}
