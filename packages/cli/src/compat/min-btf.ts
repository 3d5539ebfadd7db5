import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { type BpfLoader, type BpfObject, minimalBtf } from '@btfd/btf';
import { CliError, messageOf } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { withoutCompression } from '../source/compression.js';
import { STANDARD_INPUT, SYSFS } from '../source/spec-ref.js';
import type { FileFailure } from './bpf-files.js';
import type { Cell } from './judge-all.js';
import type { CompatKernel } from './kernel.js';

/** MinBtfFile is a BTF that was written for a kernel. */
export interface MinBtfFile {
  /** The SPEC of the kernel. */
  readonly kernel: string;
  readonly path: string;
  readonly bytes: number;
}

/** MinBtfOptions are the options of a {@link MinBtfWriter}. */
export interface MinBtfOptions {
  readonly folder: string;
  readonly loader: BpfLoader;
  readonly objects: readonly BpfObject[];
}

/** MinBtfWriter writes the smallest BTF that objects need into a folder, for each kernel. */
export class MinBtfWriter {
  /** In the order in which they were written. */
  readonly files: MinBtfFile[] = [];
  readonly #options: MinBtfOptions;
  /** The content of each file, in Latin-1. */
  readonly #written = new Map<string, string>();

  constructor(options: MinBtfOptions) {
    this.#options = options;
  }

  /**
   * Writes the file of a kernel: `RELEASE.btf` for the kernel of a daemon, and otherwise the name of its file or folder.
   * Kernels with the same name share a file if they need the same. It writes nothing for a kernel without a report.
   *
   * @returns the failure, or null.
   */
  async write(kernel: CompatKernel, cells: readonly Cell[]): Promise<FileFailure | null> {
    const report = cells.find((cell) => cell.report !== null)?.report ?? null;
    if (report === null) return null;
    const path = join(this.#options.folder, `${nameOf(kernel.label, report.kernelRelease)}.btf`);
    try {
      await this.#writeFile(path, kernel);
      return null;
    } catch (error) {
      return { path, error };
    }
  }

  async #writeFile(path: string, kernel: CompatKernel): Promise<void> {
    const { loader, objects } = this.#options;
    const { bytes } = minimalBtf(objects, await kernel.spec(), { loader });
    const content = Buffer.from(bytes).toString('latin1');
    if ((this.#written.get(path) ?? content) !== content) {
      throw new CliError(
        ExitCode.FAILURE,
        `${path} is already that of another kernel: write them one by one`,
      );
    }
    this.#written.set(path, content);
    this.#save(path, bytes);
    this.files.push({ kernel: kernel.label, path, bytes: bytes.length });
  }

  #save(path: string, bytes: Uint8Array): void {
    try {
      makeFolders(dirname(path));
      replaceFile(path, bytes);
    } catch (error) {
      throw new CliError(ExitCode.FAILURE, `cannot write ${path}: ${messageOf(error)}`);
    }
  }
}

/** A loader that reads the file at that moment sees the old content or the new content, and a full disk leaves the old. */
function replaceFile(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Makes a folder and those above it. `recursive` of mkdirSync never returns if the kernel refuses a folder with ENOENT, as in
 * /proc.
 */
function makeFolders(folder: string): void {
  if (existsSync(folder)) return;
  makeFolders(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it in the meantime.
    if (!existsSync(folder)) throw error;
  }
}

const VMLINUX = 'vmlinux';

/** Returns a name without what a folder or a hidden file has: a release is the text of another machine. */
function nameOf(label: string, kernelRelease: string): string {
  const name = kernelRelease === '' ? nameOfSpec(withoutCompression(label)) : kernelRelease;
  return name
    .replace(/\.btf$/, '')
    .replaceAll(/[^\w.+~-]/g, '_')
    .replace(/^\./, '_');
}

function nameOfSpec(label: string): string {
  if (label === STANDARD_INPUT) return VMLINUX;
  if (!label.includes('/')) return label;
  const path = resolve(label);
  const folder = basename(path) === VMLINUX ? dirname(path) : path;
  return folder === SYSFS ? release() : basename(folder);
}
