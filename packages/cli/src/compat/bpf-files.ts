import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
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
import { inFile } from '../source/read-btf-file.js';
import { readFile } from '../source/read-file.js';
import { STANDARD_INPUT } from '../source/spec-ref.js';

/** BpfFile is a BPF object in a file. */
export interface BpfFile {
  /** The name of the file, with a number after it for an object in an executable: `runqlat.0`. */
  readonly name: string;
  readonly path: string;
  /** Bytes from the start of the file; 0 for an object file. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly object: BpfObject;
}

/** BpfFiles are the BPF objects in some files, and the failures to read others. */
export interface BpfFiles {
  readonly files: readonly BpfFile[];
  readonly failures: readonly FileFailure[];
}

/** FileFailure says why an object, or a whole file, could not be read. */
export interface FileFailure {
  readonly path: string;
  readonly error: unknown;
}

/**
 * readBpfFiles reads the BPF objects in object files, in executables, and in the files of folders. It goes on after a
 * failure. Files of folders that have no object are left out.
 *
 * @param paths paths; the last name in one may be a glob.
 * @throws the reason of `interrupted`.
 */
export async function readBpfFiles(paths: readonly string[], interrupted: AbortSignal): Promise<BpfFiles> {
  const files: BpfFile[] = [];
  const failures: FileFailure[] = [];
  const seen = new Set<string>();
  for (const given of paths) {
    let found = 0;
    const isFolder = given !== STANDARD_INPUT && isDirectory(given);
    try {
      for (const path of isFolder ? filesIn(given) : matching(given)) {
        if (seen.has(path)) continue;
        seen.add(path);
        await setImmediate();
        const read = await readBpfFile(path, isFolder, interrupted);
        files.push(...read.files);
        failures.push(...read.failures);
        found += read.files.length + read.failures.length;
      }
      if (isFolder && found === 0) throw notFound(`no file in the folder ${given} has a BPF object`);
    } catch (error) {
      interrupted.throwIfAborted();
      failures.push({ path: given, error });
    }
  }
  return { files: withPaths(files), failures };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The regular files in a folder, also those that links in it lead to. */
function filesIn(folder: string): string[] {
  return namesIn(folder)
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
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

/** Reads the objects in one file. @param isOptional whether the file need not have one. */
async function readBpfFile(path: string, isOptional: boolean, interrupted: AbortSignal): Promise<BpfFiles> {
  const failures: FileFailure[] = [];
  const bytes = await contentOf(path, isOptional, interrupted, failures);
  if (bytes === null) return { files: [], failures };
  const isObject = isBpfObject(bytes);
  const found: readonly EmbeddedObject[] = isObject
    ? [{ offset: 0, bytes }]
    : await inFile(path, () => findBpfObjects(bytes));
  if (found.length === 0 && !isOptional) {
    throw notFound(
      `${path} is not a BPF object, and none is embedded in it`,
      'compressed objects are not found',
    );
  }
  const files: BpfFile[] = [];
  for (const [index, one] of found.entries()) {
    const name = isObject ? basename(path) : `${basename(path)}.${index}`;
    try {
      const object = await inFile(isObject ? path : name, () => parseBpfObject(one.bytes));
      files.push({ name, path, ...one, object });
    } catch (error) {
      failures.push({ path: isObject ? path : `${path}.${index}`, error });
    }
  }
  return { files, failures };
}

/** Returns the content of a file; null if it cannot be read, or need not be because it is not an ELF file. */
async function contentOf(
  path: string,
  isOptional: boolean,
  interrupted: AbortSignal,
  failures: FileFailure[],
): Promise<Uint8Array | null> {
  try {
    return await readFile(path, interrupted, (head) => {
      if (isOptional && !isElfFile(head)) throw new NotElfError();
    });
  } catch (error) {
    interrupted.throwIfAborted();
    if (!(error instanceof NotElfError)) failures.push({ path, error });
    return null;
  }
}

/** NotElfError ends the reading of a file that is not an ELF file. */
class NotElfError extends Error {}

/** Names objects by their paths where several have one name. */
function withPaths(files: readonly BpfFile[]): BpfFile[] {
  const counts = new Map<string, number>();
  for (const { name } of files) counts.set(name, (counts.get(name) ?? 0) + 1);
  return files.map((file) =>
    counts.get(file.name) === 1 ? file : { ...file, name: join(dirname(file.path), file.name) },
  );
}
