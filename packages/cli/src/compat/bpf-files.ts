import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  type BpfObject,
  type EmbeddedObject,
  findBpfObjects,
  isBpfObject,
  isElfFile,
  isGlob,
  parseBpfObject,
} from '@btfd/btf';
import { CliError, codeOf, messageOf, notFound } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { nameTest } from '../source/glob.js';
import { DamagedError, withoutCompression } from '../source/compression.js';
import { inFile } from '../source/read-btf-file.js';
import { readContent } from '../source/read-content.js';
import { STANDARD_INPUT } from '../source/spec-ref.js';

/** BpfFile is a BPF object in a file. */
export interface BpfFile {
  /** The name of the file, with a number after it for an object in an executable: `runqlat.0`. */
  readonly name: string;
  readonly path: string;
  /** Bytes from the start of the file, or of its content if it is compressed; 0 for an object file. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly object: BpfObject;
}

/** BpfFiles are the BPF objects in some files, and the failures to read others. */
export interface BpfFiles {
  readonly files: readonly BpfFile[];
  readonly failures: readonly FileFailure[];
  /** The damaged compressed files of folders that do not look like object files. */
  readonly leftOut: readonly FileFailure[];
}

/** FileFailure says why an object, or a whole file, could not be read. */
export interface FileFailure {
  readonly path: string;
  readonly error: unknown;
}

/**
 * readBpfFiles reads the BPF objects in object files, in executables, and in the files of folders, also if they are
 * compressed. It continues after a failure. Files of folders that have no object are left out, also
 * damaged compressed ones, unless their names or their first bytes are those of object files.
 *
 * @param paths paths; the last name in one may be a glob.
 * @throws the reason of `interrupted`.
 */
export async function readBpfFiles(paths: readonly string[], interrupted: AbortSignal): Promise<BpfFiles> {
  const reader = new BpfFileReader(interrupted);
  for (const path of paths) await reader.read(path);
  return { files: withPaths(reader.files), failures: reader.failures, leftOut: reader.leftOut };
}

class BpfFileReader implements BpfFiles {
  readonly files: BpfFile[] = [];
  readonly failures: FileFailure[] = [];
  readonly leftOut: FileFailure[] = [];
  readonly #interrupted: AbortSignal;
  /** The files that were read. */
  readonly #seen = new Set<string>();

  constructor(interrupted: AbortSignal) {
    this.#interrupted = interrupted;
  }

  async read(given: string): Promise<void> {
    try {
      for (const path of matching(given)) {
        await (isFolder(path) ? this.#readFolder(path) : this.#readFile(path, false));
      }
    } catch (error) {
      this.#interrupted.throwIfAborted();
      this.failures.push({ path: given, error });
    }
  }

  /** Reads the regular files in a folder, also those that links in it lead to. */
  async #readFolder(folder: string): Promise<void> {
    let found = 0;
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) {
        found += await this.#readFile(path, true);
      }
    }
    if (found === 0) throw notFound(`no file in the folder ${folder} has a BPF object`);
  }

  /** Returns the number of objects. @param isOptional whether the file need not have one. */
  async #readFile(path: string, isOptional: boolean): Promise<number> {
    if (this.#seen.has(resolve(path))) return 1;
    // Signals are only noticed in between.
    await setImmediate();
    const bytes = await this.#contentOf(path, isOptional);
    if (bytes === null) return 0;
    const isObject = isBpfObject(bytes);
    const found: readonly EmbeddedObject[] = isObject
      ? [{ offset: 0, bytes }]
      : await inFile(path, () => findBpfObjects(bytes));
    if (found.length === 0 && !isOptional) {
      throw notFound(
        `${path} is not a BPF object, and none is embedded in it`,
        'an object is not found if it is compressed inside the file',
      );
    }
    if (found.length > 0) this.#seen.add(resolve(path));
    for (const [index, one] of found.entries()) await this.#parse(path, isObject ? null : index, one);
    return found.length;
  }

  /** Returns the content of a file; null if it cannot be read, or need not be because it is not an ELF file. */
  async #contentOf(path: string, isOptional: boolean): Promise<Uint8Array | null> {
    let isElf = false;
    try {
      return await readContent(path, this.#interrupted, (head) => {
        isElf = isElfFile(head);
        if (isOptional && !isElf) throw new NotElfError();
      });
    } catch (error) {
      this.#interrupted.throwIfAborted();
      if (error instanceof NotElfError) return null;
      const mayBeOther =
        error instanceof DamagedError && !isElf && !OBJECT_NAME.test(withoutCompression(path));
      (isOptional && mayBeOther ? this.leftOut : this.failures).push({ path, error });
      return null;
    }
  }

  /** @param index of an object in an executable; null for an object file. */
  async #parse(path: string, index: number | null, { offset, bytes }: EmbeddedObject): Promise<void> {
    const whole = index === null ? path : `${path}.${index}`;
    try {
      const object = await inFile(whole, () => parseBpfObject(bytes));
      this.files.push({ name: basename(whole), path, offset, bytes, object });
    } catch (error) {
      this.failures.push({ path: whole, error });
    }
  }
}

/** The ends of names of object files. */
const OBJECT_NAME = /\.(?:o|elf|bpf)$/;

/** NotElfError ends the reading of a file that is not an ELF file. */
class NotElfError extends Error {}

function isFolder(path: string): boolean {
  return path !== STANDARD_INPUT && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The files that match a glob in the last name of a path, unless there is a file with that very name. */
function matching(path: string): string[] {
  const name = basename(path);
  if (path === STANDARD_INPUT || !isGlob(name) || statSync(path, { throwIfNoEntry: false }) !== undefined)
    return [path];
  const matches = nameTest(name);
  const names = namesIn(dirname(path)).filter(
    (one) => matches(one) && (name.startsWith('.') || !one.startsWith('.')),
  );
  if (names.length === 0) throw notFound(`no file matches ${path}`);
  return names.map((one) => (path.includes('/') ? join(dirname(path), one) : one));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw notFound(`there is no folder ${folder}`);
    throw new CliError(ExitCode.FAILURE, `cannot read ${folder}: ${messageOf(error)}`);
  }
}

/** Names objects by their paths where several have one name. */
function withPaths(files: readonly BpfFile[]): BpfFile[] {
  const counts = new Map<string, number>();
  for (const { name } of files) counts.set(name, (counts.get(name) ?? 0) + 1);
  return files.map((file) =>
    counts.get(file.name) === 1 ? file : { ...file, name: join(dirname(file.path), file.name) },
  );
}
