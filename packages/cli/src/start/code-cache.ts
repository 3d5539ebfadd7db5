import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** The parameters of a CommonJS module. */
const PARAMETERS = '(exports, require, module, __filename, __dirname)';

/** V8 copies compiled code that does not start at a multiple of this. */
const ALIGNMENT = 8;

/** Require is the function `require` of CommonJS. */
export type Require = (id: string) => unknown;

/** The compiled code of a chunk, by its file name. */
type CompiledChunks = ReadonlyMap<string, Uint8Array>;

interface Module {
  readonly exports: unknown;
}

/**
 * CodeCache loads the chunks of a program, which are CommonJS modules, and keeps their compiled code in a file. V8 compiles a
 * function when it is first called, so the code that is kept after a run of a command has just the functions of that
 * command. Node's own cache for this exists since 22.8.
 *
 * The names of chunks include a hash of their content, so that code of another content is never used. V8 itself
 * rejects code of another version of V8, or for other flags.
 */
export class CodeCache {
  readonly #file: string;
  readonly #folder: string;
  readonly #compiled: CompiledChunks;
  readonly #modules = new Map<string, Module>();
  readonly #scripts = new Map<string, Script>();
  readonly #require: Require;
  #isComplete = true;

  /**
   * @param file the file, which need not exist.
   * @param folder the folder of the chunks, which compiled code names in stack traces. The file is only used for the same one.
   * @param require loads the modules of Node, and optional packages that are installed beside the program.
   */
  constructor(file: string, folder: string, require: Require) {
    this.#file = file;
    this.#require = require;
    this.#folder = folder;
    this.#compiled = readChunks(file, folder);
  }

  /** require returns the exports of a chunk. @throws what the chunk throws. */
  require(path: string): unknown {
    const loaded = this.#modules.get(path);
    if (loaded !== undefined) return loaded.exports;
    const module: Module = { exports: {} };
    this.#modules.set(path, module);
    const folder = dirname(path);
    const required: Require = (id) =>
      id.startsWith('./') ? this.require(join(folder, id)) : this.#require(id);
    const run: unknown = this.#compile(path).runInThisContext();
    if (typeof run === 'function') run.call(module.exports, module.exports, required, module, path, folder);
    return module.exports;
  }

  /** save writes the compiled code of the chunks that were loaded, unless the file already has code of all of them. */
  save(): void {
    if (this.#isComplete) return;
    // Chunks that other runs of the command load are kept, but not those of an earlier version.
    const others = [...this.#compiled].filter(
      ([name]) => !this.#scripts.has(name) && existsSync(join(this.#folder, name)),
    );
    const chunks = new Map(others);
    for (const [name, script] of this.#scripts) chunks.set(name, script.createCachedData());
    writeChunks(this.#file, this.#folder, chunks);
  }

  /** Reads a chunk as ASCII, which the bundler writes: V8 makes a string of it four times as fast as of UTF-8. */
  #compile(path: string): Script {
    const name = basename(path);
    const source = `(function ${PARAMETERS} {${readFileSync(path, 'latin1')}\n})`;
    const cachedData = this.#compiled.get(name);
    const script = new Script(source, {
      filename: path,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    if (script.cachedDataRejected !== false) this.#isComplete = false;
    this.#scripts.set(name, script);
    return script;
  }
}

/** Reads a file that {@link writeChunks} wrote. Returns no chunks if the file does not exist or is cut off. */
function readChunks(file: string, folder: string): CompiledChunks {
  const chunks = new Map<string, Uint8Array>();
  try {
    const bytes = readFileSync(file);
    const head = headOf(folder);
    if (!bytes.subarray(0, head.length).equals(head)) return new Map();
    const end = bytes.indexOf('\n', head.length);
    let at = aligned(end + 1);
    const sizes = sizesIn(bytes.toString('latin1', head.length, end));
    if (sizes.reduce((sum, [, size]) => sum + aligned(size), at) !== bytes.length) return new Map();
    for (const [name, size] of sizes) {
      chunks.set(name, bytes.subarray(at, at + size));
      at += aligned(size);
    }
  } catch {
    // A missing or unreadable file only costs time.
  }
  return chunks;
}

function headOf(folder: string): Buffer {
  return Buffer.from(`${JSON.stringify(folder)}\n`);
}

/** Returns the names and sizes in the second line: `main-1a.cjs 812 list-2b.cjs 96`. */
function sizesIn(line: string): [name: string, size: number][] {
  const words = line.split(' ');
  const sizes: [string, number][] = [];
  for (let i = 0; i + 1 < words.length; i += 2) sizes.push([words[i] ?? '', Number(words[i + 1])]);
  return sizes;
}

/** Replaces a file at once, so that another process never reads a part of it. Errors, such as a full disk, are ignored. */
function writeChunks(file: string, folder: string, chunks: CompiledChunks): void {
  const line = [...chunks].map(([name, { length }]) => `${name} ${length}`).join(' ');
  const parts = [Buffer.concat([headOf(folder), Buffer.from(`${line}\n`)]), ...chunks.values()];
  const bytes = Buffer.alloc(parts.reduce((sum, { length }) => sum + aligned(length), 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += aligned(part.length);
  }
  const part = `${file}.${process.pid}`;
  try {
    const written = openSync(part, 'wx', 0o600);
    try {
      writeSync(written, bytes);
      // V8 does not check the bytes, so they must be on the disk before the file has its name.
      fsyncSync(written);
    } finally {
      closeSync(written);
    }
    renameSync(part, file);
  } catch {
    rmSync(part, { force: true });
  }
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}
