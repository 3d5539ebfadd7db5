import { type HandleInfo as HandleInfoMessage, Origin as OriginNumber } from '@btfd/api';
import { type ObjectUsers, objectUsersFromMessage } from './object-users.js';
import { digestKey } from '../btf/raw-btf.js';

/**
 * KnownOrigin says where a BTF object comes from: the kernel itself, a module, something else of the kernel
 * (`vmlinux.inline` and the like), or a user of bpf(2).
 */
export type KnownOrigin = 'vmlinux' | 'module' | 'kernel-other' | 'user';

/** Origin is a {@link KnownOrigin}, or `unknown` where a newer daemon tells another. */
export type Origin = KnownOrigin | 'unknown';

/** HandleInfo describes a BTF object. It is plain data. */
export interface HandleInfo {
  /** The BTF id, valid only while something holds the object. 0 where the daemon sees the object as a file only. */
  readonly id: number;
  /** The kernel's name for the object: `vmlinux`, a module's name; empty for users' objects. */
  readonly name: string;
  readonly origin: Origin;
  /** Whether the object originated with the kernel and not with a user. */
  readonly isKernel: boolean;
  /** Size of the raw BTF in bytes. */
  readonly size: number;
  /** Whether the object left the kernel's list while it was held, as an unloaded module's does. */
  readonly removed: boolean;
  /** Whether this is the kernel's own BTF: `isKernel` and named `vmlinux`, as IsVmlinux of cilium/ebpf. */
  readonly isVmlinux: boolean;
  /** Whether this is a module's BTF: `isKernel` and not named `vmlinux`, as IsModule of cilium/ebpf. */
  readonly isModule: boolean;
  /** SHA-256 of the raw BTF in hexadecimal; null unless it was asked for. */
  readonly digest: string | null;
  /** Who uses the object; null unless it was asked for. */
  readonly users: ObjectUsers | null;
}

/** ORIGIN_NUMBERS gives each origin's number in messages. */
export const ORIGIN_NUMBERS = {
  vmlinux: OriginNumber.VMLINUX,
  module: OriginNumber.MODULE,
  'kernel-other': OriginNumber.KERNEL_OTHER,
  user: OriginNumber.USER,
} as const satisfies Record<KnownOrigin, OriginNumber>;

const ORIGINS: Readonly<Record<number, Origin>> = {
  [OriginNumber.UNSPECIFIED]: 'unknown',
  [OriginNumber.VMLINUX]: 'vmlinux',
  [OriginNumber.MODULE]: 'module',
  [OriginNumber.KERNEL_OTHER]: 'kernel-other',
  [OriginNumber.USER]: 'user',
} satisfies Record<OriginNumber, Origin>;

/** handleInfoFromMessage reads the message of the same name. */
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
