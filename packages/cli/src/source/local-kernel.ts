import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { HandleInfo } from '@btfd/client';
import { CliError, notFound } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { FileSource } from './file-source.js';
import { readFile } from './read-file.js';
import type { Source } from './source.js';
import { type ObjectRef, SYSFS, underscoreHint } from './spec-ref.js';

const VMLINUX = 'vmlinux';

/** LocalKernelOptions are the options of a {@link LocalKernel}. */
export interface LocalKernelOptions {
  /** Ends the wait for a file. */
  readonly interrupted: AbortSignal;
  /** Prints a note about an object. */
  readonly note: (text: string) => void;
  /** The folder with a file for each object. Default: `/sys/kernel/btf`. */
  readonly folder?: string;
}

/** LocalKernel is the kernel of this machine, as its files show it without a daemon. They have names, but no ids. */
export class LocalKernel {
  readonly #folder: string;
  readonly #options: LocalKernelOptions;
  readonly #vmlinux: FileSource;

  constructor(options: LocalKernelOptions) {
    const { folder = SYSFS, interrupted, note } = options;
    this.#folder = folder;
    this.#options = options;
    this.#vmlinux = new FileSource(join(folder, VMLINUX), null, interrupted, note, VMLINUX);
  }

  /** Returns the objects, vmlinux first, then by name, as a daemon without privileges lists them. */
  objects(): HandleInfo[] {
    const names = readdirSync(this.#folder).filter((name) => name !== VMLINUX);
    return [VMLINUX, ...names.toSorted()].flatMap((name) => {
      // A module may be unloaded meanwhile.
      const stat = statSync(join(this.#folder, name), { throwIfNoEntry: false });
      return stat?.isFile() === true ? [infoOf(name, stat.size)] : [];
    });
  }

  /**
   * Returns an object.
   *
   * @param base the base of split BTF; null for this kernel's vmlinux.
   * @throws CliError NOT_FOUND if there is no such object; UNREACHABLE for an id, which only a daemon knows.
   */
  source(object: ObjectRef, base: Source | null): Source {
    if (object.kind === 'id') throw this.withoutId(object.id);
    const { name } = object;
    if (name === VMLINUX) return this.#vmlinux;
    if (!readdirSync(this.#folder).includes(name)) {
      throw notFound(
        `the kernel has no BTF object named ${JSON.stringify(name)}`,
        underscoreHint(name) ?? '`btfctl list` lists the objects; to name a file, use a path with a slash',
      );
    }
    const { interrupted, note } = this.#options;
    return new FileSource(join(this.#folder, name), base ?? this.#vmlinux, interrupted, note, name);
  }

  /** Returns the error for an id of an object. */
  withoutId(id: number): CliError {
    return new CliError(
      ExitCode.UNREACHABLE,
      `id:${id} needs a daemon: the files of the kernel have names, but no ids`,
      'start btfd, or use a name: `btfctl list` lists the objects',
    );
  }

  /** Returns infos of objects with their SHA-256. @throws CliError if an object cannot be read. */
  async withDigests(infos: readonly HandleInfo[]): Promise<HandleInfo[]> {
    const { createHash } = await import('node:crypto');
    const digested: HandleInfo[] = [];
    for (const info of infos) {
      const bytes = await readFile(join(this.#folder, info.name), this.#options.interrupted, () => {});
      digested.push({ ...info, digest: createHash('sha256').update(bytes).digest('hex') });
    }
    return digested;
  }
}

function infoOf(name: string, size: number): HandleInfo {
  const isVmlinux = name === VMLINUX;
  return {
    id: 0,
    name,
    origin: isVmlinux ? 'vmlinux' : 'module',
    isKernel: true,
    size,
    removed: false,
    isVmlinux,
    isModule: !isVmlinux,
    digest: null,
    users: null,
  };
}

/** hasLocalKernel reports whether this machine shows the BTF of its kernel. */
export function hasLocalKernel(): boolean {
  return statSync(join(SYSFS, VMLINUX), { throwIfNoEntry: false }) !== undefined;
}
