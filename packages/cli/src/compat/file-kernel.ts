import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  checkObjectSteps,
  type CoreModule,
  type CoreTarget,
  isBpfObject,
  isElfFile,
  isSplit,
  parseElfBtf,
  type ProgramResult,
  readElfBtf,
  Spec,
} from '@btfd/btf';
import { CliError, notFound, usageError } from '../error/cli-error.js';
import { explainError } from '../error/explain-error.js';
import { inFile, mayHaveBtf, readBtfFile } from '../source/read-btf-file.js';
import { headOf } from '../source/read-file.js';
import { STANDARD_INPUT } from '../source/spec-ref.js';
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

const VMLINUX = 'vmlinux';

/** FileKernel is the BTF of a kernel in a file, or in a folder that also has that of its modules. */
export class FileKernel implements CompatKernel {
  readonly label: string;
  readonly isLocal = true;
  readonly lacksVersion: boolean;
  readonly #path: string;
  readonly #options: FileKernelOptions;
  #target: Promise<CoreTarget> | null = null;

  constructor(label: string, path: string, options: FileKernelOptions) {
    this.label = label;
    this.lacksVersion = options.version === null;
    this.#path = path;
    this.#options = options;
  }

  async judge(file: PreparedFile, { loader }: JudgeOptions): Promise<CompatReport> {
    this.#target ??= this.#read();
    const { object, programs, variables, attachTargets } = file;
    const steps = checkObjectSteps(object, await this.#target, {
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

  async #read(): Promise<CoreTarget> {
    const isFolder =
      this.#path !== STANDARD_INPUT &&
      statSync(this.#path, { throwIfNoEntry: false })?.isDirectory() === true;
    const path = isFolder ? join(this.#path, VMLINUX) : this.#path;
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

  #modulesOf(kernel: Spec, isFolder: boolean): Iterable<CoreModule> {
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

type ModulePath = readonly [name: string, path: string];

/** The files in a folder that may be modules, by their names in the kernel, which have "_" in place of "-". */
function moduleFiles(folder: string): ModulePath[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((file): ModulePath[] => {
      const [, name] = /^([\w-]+)(?:\.ko|\.btf)?$/.exec(file) ?? [];
      return name === undefined || name === VMLINUX ? [] : [[name.replaceAll('-', '_'), join(folder, file)]];
    });
}

/** FolderModules are the modules of a folder. Nothing of them is read before one is asked for: few objects need any. */
class FolderModules implements Iterable<CoreModule> {
  readonly #paths: readonly ModulePath[];
  readonly #base: Spec;
  #modules: CoreModule[] | null = null;

  constructor(paths: readonly ModulePath[], base: Spec) {
    this.#paths = paths;
    this.#base = base;
  }

  [Symbol.iterator](): Iterator<CoreModule> {
    this.#modules ??= this.#paths
      .filter(([, path]) => isFile(path) && withPath(path, () => mayHaveBtf(headOf(path))))
      .map(([name, path]) => lazyModule(name, path, this.#base));
    return this.#modules.values();
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function lazyModule(name: string, path: string, base: Spec): CoreModule {
  let known: Spec | null = null;
  return {
    name,
    spec: () => {
      known ??= withPath(path, () => readModule(path, base));
      return known;
    },
  };
}

function readModule(path: string, base: Spec): Spec {
  const bytes = readFileSync(path);
  return isElfFile(bytes) ? parseElfBtf(readElfBtf(bytes), { base }) : Spec.parse(bytes, { base });
}

/** Adds the path of a module to the errors of reading it. */
function withPath<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { exitCode, message } = explainError(error);
    throw new CliError(exitCode, `${path}: ${message}`);
  }
}
