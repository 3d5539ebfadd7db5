import { closeSync, createReadStream, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { CliError, codeOf, messageOf, notFound } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { STANDARD_INPUT } from './spec-ref.js';

/** The first bytes of a file, which identify its format. */
const HEAD_BYTES = 8;
/** The largest file that Node reads at once. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * readFile reads a file, a pipe or a device.
 *
 * @param checkHead gets the first bytes, or all of a shorter file, and throws to leave the rest unread.
 * @throws CliError NOT_FOUND if there is no such file; FAILURE if it cannot be read. The errors of `checkHead`. The reason of
 * `interrupted`.
 */
export async function readFile(
  path: string,
  interrupted: AbortSignal,
  checkHead: (head: Uint8Array) => void,
): Promise<Uint8Array> {
  try {
    // Opening /dev/stdin fails if it is a socket, as between Node programs.
    if (path === STANDARD_INPUT)
      return await readStream('standard input', process.stdin, interrupted, checkHead);
    return await readPath(path, interrupted, checkHead);
  } catch (error) {
    const code = codeOf(error);
    if (typeof code !== 'string') throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw notFound(`there is no file ${path}`);
    throw new CliError(ExitCode.FAILURE, `cannot read ${path}: ${messageOf(error)}`);
  }
}

/**
 * readPath reads a file, a pipe or a device.
 *
 * @param checkHead gets the first bytes, or all of a shorter file, and throws to leave the rest unread.
 * @throws the errors of the system, those of `checkHead`, and the reason of `interrupted`.
 */
export async function readPath(
  path: string,
  interrupted: AbortSignal,
  checkHead: (head: Uint8Array) => void = () => {},
): Promise<Uint8Array> {
  // Opening a pipe blocks until there is a writer, and Ctrl-C would have no effect until then.
  const stat = statSync(path);
  // The error of the system, which does not name the folder.
  if (stat.isDirectory()) throw new FolderError(path);
  if (!stat.isFile()) return readStream(path, createReadStream(path), interrupted, checkHead);
  checkHead(headOf(path));
  // At once: reading sysfs piece by piece through the thread pool takes thirty times as long.
  return readFileSync(path);
}

/** FolderError is the error of the system for reading a folder, with its path. */
class FolderError extends Error {
  readonly code = 'EISDIR';

  constructor(path: string) {
    super(`EISDIR: illegal operation on a directory, read '${path}'`);
  }
}

/** headOf returns the first bytes of a file. @throws the errors of the system. */
export function headOf(path: string): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const file = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}

async function readStream(
  name: string,
  stream: NodeJS.ReadableStream & { destroy(): unknown },
  interrupted: AbortSignal,
  checkHead: (head: Uint8Array) => void,
): Promise<Uint8Array> {
  const read = async (): Promise<Uint8Array> => {
    const pieces: Uint8Array[] = [];
    let length = 0;
    let isChecked = false;
    for await (const piece of stream) {
      if (typeof piece === 'string') continue;
      pieces.push(piece);
      length += piece.length;
      if (!isChecked && length >= HEAD_BYTES) {
        checkHead(Buffer.concat(pieces));
        isChecked = true;
      }
      if (length > MAX_BYTES) throw new CliError(ExitCode.FAILURE, `${name} is larger than 2 GiB`);
    }
    const bytes = Buffer.concat(pieces);
    if (!isChecked) checkHead(bytes);
    return bytes;
  };
  try {
    return await interruptible(read(), interrupted);
  } finally {
    stream.destroy();
  }
}

/**
 * interruptible waits for a promise until it is interrupted. The promise itself need not react to that.
 *
 * @throws the reason of the interruption.
 */
async function interruptible<T>(wait: Promise<T>, interrupted: AbortSignal): Promise<T> {
  interrupted.throwIfAborted();
  // After an interruption nobody handles its failure.
  wait.catch(() => {});
  let stop = (): void => {};
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(interrupted.reason);
    interrupted.addEventListener('abort', end);
    stop = () => interrupted.removeEventListener('abort', end);
  });
  try {
    return await Promise.race([wait, ended]);
  } finally {
    stop();
  }
}
