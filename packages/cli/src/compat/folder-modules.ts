import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type CoreModule, parseElfBtf, Spec } from '@btfd/btf';
import { CliError } from '../error/cli-error.js';
import { explainError } from '../error/explain-error.js';
import { compressionOf, COMPRESSIONS, withoutCompression } from '../source/compression.js';
import { inFile, mayHaveBtf, readBtfFile } from '../source/read-btf-file.js';
import { headOf } from '../source/read-file.js';

const VMLINUX = 'vmlinux';

/** vmlinuxIn returns the path of the BTF of vmlinux in a folder, which may be compressed. */
export function vmlinuxIn(folder: string): string {
  const path = join(folder, VMLINUX);
  const endings = ['', ...COMPRESSIONS.map(({ ending }) => ending)];
  return endings.map((ending) => path + ending).find(existsSync) ?? path;
}

type ModulePath = readonly [name: string, path: string];

/** moduleFiles returns the files in a folder that may be modules, by their names in the kernel, which have "_" in place of "-". */
export function moduleFiles(folder: string): ModulePath[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((file): ModulePath[] => {
      const plain = withoutCompression(file);
      const [, name, ending] = /^([\w-]+)(\.ko|\.btf)?$/.exec(plain) ?? [];
      // In sysfs the names of modules have no ending, and no file there is compressed.
      if (name === undefined || name === VMLINUX || (plain !== file && ending === undefined)) return [];
      return [[name.replaceAll('-', '_'), join(folder, file)]];
    });
}

/** ModulesWanted is thrown through a check when it searches a module that was not read. */
export class ModulesWanted extends Error {}

/**
 * FolderModules are the modules of a folder. Few objects need any, and the library cannot wait while one is read. So the first
 * search throws {@link ModulesWanted}, and the check begins again after {@link read}.
 */
export class FolderModules implements Iterable<CoreModule> {
  readonly #paths: readonly ModulePath[];
  readonly #base: Spec;
  /** The paths of the modules; null before they are asked for. */
  #modules: readonly ModulePath[] | null = null;
  /** The types of the modules, by their paths. */
  readonly #specs = new Map<string, Spec>();

  constructor(paths: readonly ModulePath[], base: Spec) {
    this.#paths = paths;
    this.#base = base;
  }

  *[Symbol.iterator](): Generator<CoreModule, void, undefined> {
    for (const [name, path] of this.#all()) {
      yield {
        name,
        spec: () => {
          const spec = this.#specs.get(path);
          if (spec === undefined) throw new ModulesWanted();
          return spec;
        },
      };
    }
  }

  /** Reads all modules. @throws CliError for a module that cannot be read. The reason of `interrupted`. */
  async read(interrupted: AbortSignal): Promise<void> {
    for (const [, path] of this.#all()) {
      // Signals are only noticed in between.
      await setImmediate();
      interrupted.throwIfAborted();
      this.#specs.set(path, await readModule(path, this.#base, interrupted));
    }
  }

  /** Leaves files out that are neither BTF nor ELF files, such as a README. */
  #all(): readonly ModulePath[] {
    this.#modules ??= this.#paths.filter(([, path]) => isModule(path));
    return this.#modules;
  }
}

function isModule(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    const head = headOf(path);
    return mayHaveBtf(head) || compressionOf(head) !== null;
  } catch (error) {
    const { exitCode, message } = explainError(error);
    throw new CliError(exitCode, `${path}: ${message}`);
  }
}

async function readModule(path: string, base: Spec, interrupted: AbortSignal): Promise<Spec> {
  const file = await readBtfFile(path, interrupted);
  return inFile(path, () => {
    if (file.kind === 'raw') return Spec.parse(file.btf, { base });
    // A copy, because a module with debug information has a hundred times as much.
    return parseElfBtf({ ...file.elf, btf: file.elf.btf.slice() }, { base });
  });
}
