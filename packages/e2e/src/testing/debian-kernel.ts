import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder in which scripts/fetch-kernel-btf.js writes the BTF of Debian's kernels. */
const KERNELS = fileURLToPath(new URL('../../../../.cache/kernels', import.meta.url));

const [release] = existsSync(KERNELS)
  ? readdirSync(KERNELS).filter((name) => !name.startsWith('fetch-'))
  : [];

/** DEBIAN_KERNEL is the folder with the BTF of a Debian kernel: `vmlinux` and a file for each module. */
export const DEBIAN_KERNEL = join(KERNELS, release ?? '');
