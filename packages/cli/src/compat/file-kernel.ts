import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import {
  type BpfLoader,
  checkObjectSteps,
  type CoreTarget,
  isBpfObject,
  isSplit,
  parseElfBtf,
  type ProgramResult,
  Spec,
} from '@btfd/btf';
import { notFound, usageError } from '../error/cli-error.js';
import { inFile, readBtfFile } from '../source/read-btf-file.js';
import { STANDARD_INPUT } from '../source/spec-ref.js';
import { FolderModules, moduleFiles, ModulesWanted, vmlinuxIn } from './folder-modules.js';
import type { PreparedFile } from './prepare.js';
import type { CompatKernel, JudgeOptions } from './kernel.js';
import { type CompatReport, localReport } from './report.js';

/** FileKernelOptions are the options of a {@link FileKernel}. */
export interface FileKernelOptions {
  /** The names of the modules that are there; null for all of the folder. */
  readonly modules: readonly string[] | null;
  /** As in `LINUX_KERNEL_VERSION`; null if it is not known. */
  readonly version: number | null;
  readonly interrupted: AbortSignal;
}

/** FolderTarget is a kernel whose modules are read when a check first searches them. */
interface FolderTarget extends CoreTarget {
  readonly modules: FolderModules;
}

/** FileKernel is the BTF of a kernel in a file, or in a folder that also has that of its modules. */
export class FileKernel implements CompatKernel {
  readonly label: string;
  readonly isLocal = true;
  readonly lacksVersion: boolean;
  readonly #path: string;
  readonly #options: FileKernelOptions;
  #target: Promise<FolderTarget> | null = null;

  constructor(label: string, path: string, options: FileKernelOptions) {
    this.label = label;
    this.lacksVersion = options.version === null;
    this.#path = path;
    this.#options = options;
  }

  async judge(file: PreparedFile, { loader }: JudgeOptions): Promise<CompatReport> {
    this.#target ??= this.#read();
    const target = await this.#target;
    try {
      return await this.#check(file, target, loader);
    } catch (error) {
      if (!(error instanceof ModulesWanted)) throw error;
      await target.modules.read(this.#options.interrupted);
      return this.#check(file, target, loader);
    }
  }

  async #check(file: PreparedFile, target: CoreTarget, loader: BpfLoader): Promise<CompatReport> {
    const { object, programs, variables, attachTargets } = file;
    const steps = checkObjectSteps(object, target, {
      loader,
      variables,
      attachTargets,
      kernelVersion: this.#options.version,
      ...(programs === null ? {} : { programs }),
    });
    const results: ProgramResult[] = [];
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return localReport({ programs: results, ...value });
      if (value !== null) results.push(value);
      // Signals are only noticed in between.
      await setImmediate();
      this.#options.interrupted.throwIfAborted();
    }
  }

  async spec(): Promise<Spec> {
    this.#target ??= this.#read();
    return (await this.#target).kernel;
  }

  release(): void {
    this.#target = null;
  }

  async #read(): Promise<FolderTarget> {
    const isFolder =
      this.#path !== STANDARD_INPUT &&
      statSync(this.#path, { throwIfNoEntry: false })?.isDirectory() === true;
    const path = isFolder ? vmlinuxIn(this.#path) : this.#path;
    const file = await readBtfFile(path, this.#options.interrupted);
    const kernel = await inFile(path, () => {
      if (file.kind === 'raw') {
        if (isSplit(file.btf)) throw notKernel(path, 'the BTF of a module');
        return Spec.parse(file.btf);
      }
      if (isBpfObject(file.bytes)) throw notKernel(path, 'a BPF object');
      return parseElfBtf(file.elf);
    });
    return { kernel, modules: this.#modulesOf(kernel, isFolder) };
  }

  #modulesOf(kernel: Spec, isFolder: boolean): FolderModules {
    const { modules: wanted } = this.#options;
    const paths = new Map(isFolder ? moduleFiles(this.#path) : []);
    const missing = wanted?.find((name) => !paths.has(name));
    if (missing !== undefined) {
      throw notFound(
        `${this.label} has no module ${missing}`,
        isFolder ? null : 'use a folder with vmlinux and its modules, or --modules none',
      );
    }
    return new FolderModules(
      [...paths].filter(([name]) => wanted?.includes(name) !== false),
      kernel,
    );
  }
}

function notKernel(path: string, what: string): Error {
  return usageError(
    `${path} is ${what}, not of a kernel`,
    'use the BTF of vmlinux, or the folder that has it beside its modules',
  );
}
