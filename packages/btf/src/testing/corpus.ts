import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Spec } from '../spec.js';

const CACHE = fileURLToPath(new URL('../../../../.cache', import.meta.url));

/** KernelFolder is the BTF of a kernel and of modules, one file each. */
export interface KernelFolder {
  readonly release: string;
  readonly vmlinux: string;
  /** Names of modules, sorted. */
  readonly modules: readonly string[];
  /** The file of a module. */
  readonly path: (module: string) => string;
}

/**
 * kernels returns the kernels that `scripts/fetch-kernel-btf.js` fetched: those for CI, or with `corpus` those of
 * `--all`.
 */
export function kernels(of: 'kernels' | 'corpus'): KernelFolder[] {
  const folder = join(CACHE, of);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((release) => {
      const path = (name: string) => join(folder, release, name);
      const modules = readdirSync(path('')).filter((name) => name !== 'vmlinux');
      return { release, vmlinux: path('vmlinux'), modules: modules.toSorted(), path };
    });
}

/** BtfFile is BTF on disk, with that of its base if it has one. */
export interface BtfFile {
  /** Release and module. */
  readonly name: string;
  readonly path: string;
  readonly basePath: string | undefined;
}

/** filesOf returns vmlinux and the modules of kernels, or only the modules with the given names. */
export function filesOf(folders: readonly KernelFolder[], names?: readonly string[]): BtfFile[] {
  return folders.flatMap(({ release, vmlinux, modules, path }) =>
    ['vmlinux', ...modules]
      .filter((name) => names === undefined || names.includes(name))
      .map((name) => ({
        name: `${release}/${name}`,
        path: path(name),
        basePath: name === 'vmlinux' ? undefined : vmlinux,
      })),
  );
}

/** parseFile parses BTF on disk, and its base. */
export function parseFile({ path, basePath }: Pick<BtfFile, 'path' | 'basePath'>): Spec {
  return readSpec(path, basePath === undefined ? null : readSpec(basePath));
}

/** elfFolder returns the folder with the ELF files of a kernel for CI: `vmlinux`, `NAME.ko`. */
export function elfFolder({ release }: KernelFolder): string {
  return join(CACHE, 'elf', release);
}

/** readSpec parses the BTF in a file. */
export function readSpec(path: string, base: Spec | null = null): Spec {
  return Spec.parse(new Uint8Array(readFileSync(path)), { base });
}

/** kindCounts counts a spec's own types by kind. */
export function kindCounts(spec: Spec): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of spec) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
