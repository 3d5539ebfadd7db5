import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Readable, Transform, type Writable } from 'node:stream';
import * as zlib from 'node:zlib';
import { codeOf, messageOf } from '../error/cli-error.js';
import { grouped } from '../output/numbers.js';
import { CompressedError, type Compression, DamagedError } from './compression.js';

/** More than a vmlinux with all debug information. */
const MAX_BYTES = 2 ** 30;

/** xz takes some 10 s for the largest files. */
const MAX_MS = 120_000;

/** Bytes of the content that show what it is. */
const HEAD_BYTES = 8;

/** DecompressOptions are the options of {@link decompress}. */
export interface DecompressOptions {
  /** Gets the first bytes of the content, and throws to leave the rest. */
  readonly checkHead: (head: Uint8Array) => void;
  readonly interrupted: AbortSignal;
  /** The most bytes of content. Default: 1 GiB. */
  readonly maxBytes?: number;
  /** The environment in which a program is looked for. Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Default: what this Node has. */
  readonly inNode?: boolean;
}

/**
 * decompress returns the content of a compressed file. Node decompresses gzip and, from 24 on, zstd. The programs `xz` and
 * `zstd` of the system do the rest.
 *
 * @param name the name of the file in errors.
 * @throws CompressedError if the program is missing, the file is damaged, or its content is too large or takes longer than
 * two minutes. The errors of `checkHead`. The reason of `interrupted`.
 */
export async function decompress(
  name: string,
  bytes: Uint8Array,
  compression: Compression,
  options: DecompressOptions,
): Promise<Uint8Array> {
  const stream = options.inNode === false ? null : inNode(compression);
  stream?.end(bytes);
  const content = await (stream === null
    ? byProgram(name, bytes, compression.name, options)
    : contentOf(name, stream, options));
  // Only now: what a damaged file begins with may be short too.
  if (content.length < HEAD_BYTES) options.checkHead(content);
  return content;
}

async function byProgram(
  name: string,
  bytes: Uint8Array,
  program: string,
  options: DecompressOptions,
): Promise<Uint8Array> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'], env: options.env ?? process.env });
  const ended = endOf(child);
  // The program ends early if the file is damaged, or its content is not wanted.
  child.stdin.on('error', () => {});
  child.stdin.end(bytes);
  try {
    const content = await contentOf(name, child.stdout, options);
    const { reason } = await ended;
    if (reason === null) return content;
    throw damaged(name, reason);
  } catch (error) {
    if (child.pid === undefined && (await ended).isMissing) {
      const remedy =
        program === 'zstd' ? 'install zstd, run btfctl with Node 24 or newer' : 'install xz-utils';
      throw new CompressedError(
        `${name} is compressed, and there is no program ${program} to decompress it`,
        `${remedy}, or give the file without compression`,
      );
    }
    throw error;
  } finally {
    child.kill('SIGKILL');
  }
}

/** Ended is the end of a program. */
interface Ended {
  /** Why it failed; null if it succeeded. */
  readonly reason: string | null;
  /** Whether there is no such program. */
  readonly isMissing: boolean;
}

async function endOf(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<Ended> {
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 500);
  });
  try {
    await once(child, 'close');
    const reason = complaint.trim() || `the program ended with ${child.exitCode}`;
    return { reason: child.exitCode === 0 ? null : reason, isMissing: false };
  } catch (error) {
    return { reason: messageOf(error), isMissing: codeOf(error) === 'ENOENT' };
  }
}

/** Reads a stream until its end, a limit or an interruption. Content shorter than HEAD_BYTES is not checked. */
async function contentOf(
  name: string,
  stream: Readable,
  { checkHead, interrupted, maxBytes = MAX_BYTES }: DecompressOptions,
): Promise<Uint8Array> {
  interrupted.throwIfAborted();
  const stop = (): void => void stream.destroy(new Error('interrupted'));
  const late = (): void => void stream.destroy(new CompressedError(`${name} takes too long to decompress`));
  const timer = setTimeout(late, MAX_MS);
  interrupted.addEventListener('abort', stop);
  const pieces: Uint8Array[] = [];
  let length = 0;
  let isChecked = false;
  try {
    for await (const piece of piecesOf(name, stream)) {
      pieces.push(piece);
      length += piece.length;
      if (!isChecked && length >= HEAD_BYTES) {
        checkHead(Buffer.concat(pieces));
        isChecked = true;
      }
      if (length > maxBytes) {
        throw new CompressedError(`the content of ${name} is larger than ${grouped(maxBytes)} bytes`);
      }
    }
    interrupted.throwIfAborted();
    return Buffer.concat(pieces);
  } catch (error) {
    interrupted.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    interrupted.removeEventListener('abort', stop);
    stream.destroy();
  }
}

/** The pieces of a stream. Its own errors say that the file is damaged. */
async function* piecesOf(name: string, stream: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const piece of stream) if (piece instanceof Uint8Array) yield piece;
  } catch (error) {
    throw error instanceof CompressedError ? error : damaged(name, messageOf(error));
  }
}

function damaged(name: string, why: string): DamagedError {
  return new DamagedError(`cannot decompress ${name}: ${why}`);
}

/** Returns the stream of Node that decompresses a format; null if this Node has none. */
function inNode({ name, magic }: Compression): Transform | null {
  if (name === 'gzip') return zlib.createGunzip();
  return name === 'zstd' ? zstdOfNode(magic) : null;
}

/** Returns the stream of Node for zstd, which Node 20 does not have. That of Node 22 takes a file that is cut off for a whole one. */
function zstdOfNode(magic: readonly number[]): Transform | null {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  const decompressSync: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  if (typeof create !== 'function' || typeof decompressSync !== 'function') return null;
  try {
    decompressSync(Uint8Array.from(magic));
    return null;
  } catch {
    const stream: unknown = create();
    return stream instanceof Transform ? stream : null;
  }
}
