import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Spec } from '../spec.js';

/** Where scripts/fetch-kernel-btf.js puts the BTF of Debian's kernels. */
const KERNELS = fileURLToPath(new URL('../../../../.cache/kernels', import.meta.url));

/** KernelBtf is BTF of a kernel or one of its modules on disk. */
export interface KernelBtf {
  /** Release and module. */
  readonly name: string;
  readonly path: string;
  /** The vmlinux of a module. */
  readonly basePath: string | undefined;
}

/** debianKernels lists the BTF that was fetched. */
export function debianKernels(): KernelBtf[] {
  if (!existsSync(KERNELS)) return [];
  const releases = readdirSync(KERNELS).filter((name) => !name.startsWith('fetch-'));
  return releases.flatMap((release) => {
    const folder = join(KERNELS, release);
    return readdirSync(folder).map((file) => ({
      name: `${release}/${file}`,
      path: join(folder, file),
      basePath: file === 'vmlinux' ? undefined : join(folder, 'vmlinux'),
    }));
  });
}

/** parseFiles parses BTF and its base from disk. */
export function parseFiles({ path, basePath }: Pick<KernelBtf, 'path' | 'basePath'>): Spec {
  const base = basePath === undefined ? null : Spec.parse(new Uint8Array(readFileSync(basePath)));
  return Spec.parse(new Uint8Array(readFileSync(path)), { base });
}
