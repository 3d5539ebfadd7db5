import { closeSync, createReadStream, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { CliError, codeOf, messageOf, notFound } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { STANDARD_INPUT } from './spec-ref.js';

/** Bytes that tell what a file is. */
const HEAD_BYTES = 8;
/** As much as Node reads of a file into one piece. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * readFile reads a file, a pipe or a device.
 *
 * @param checkHead looks at its first bytes, all of them where it is shorter, and throws where the rest is not wanted.
 * @throws CliError NOT_FOUND, FAILURE, which names the file; what `checkHead` throws; the reason of `interrupted`.
 */
export async function readFile(
  path: string,
  interrupted: AbortSignal,
  checkHead: (head: Uint8Array) => void,
): Promise<Uint8Array> {
  try {
    // Opening /dev/stdin would fail where that is a socket, as between programs of Node.
    if (path === STANDARD_INPUT) return await readStream(process.stdin, interrupted, checkHead);
    // A pipe holds up whoever opens it until somebody writes: then Ctrl-C would not be heard.
    if (!statSync(path).isFile()) return await readStream(createReadStream(path), interrupted, checkHead);
    checkHead(headOf(path));
    // At once, as reading sysfs piece by piece through the thread pool takes thirty times as long.
    return readFileSync(path);
  } catch (error) {
    const code = codeOf(error);
    if (typeof code !== 'string') throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw notFound(`there is no file ${path}`);
    throw new CliError(ExitCode.FAILURE, `cannot read ${path}: ${messageOf(error)}`);
  }
}

function headOf(path: string): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const file = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}

async function readStream(
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
      if (length > MAX_BYTES) throw new CliError(ExitCode.FAILURE, 'the input is larger than 2 GiB');
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
 * interruptible waits for something, or for the interruption of the wait, of which what is waited for need not know.
 *
 * @throws the reason of the interruption.
 */
async function interruptible<T>(wait: Promise<T>, interrupted: AbortSignal): Promise<T> {
  interrupted.throwIfAborted();
  // Its failure after an interruption has nobody to tell.
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
