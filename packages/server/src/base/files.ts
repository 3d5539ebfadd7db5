import { existsSync, mkdirSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FILE_TURNS } from './file-turns.js';

/** FileWatchOptions are the interval and the callbacks of a FileWatch. */
export interface FileWatchOptions {
  readonly pollMs: number;
  readonly onChange: () => void;
  /** Gets the error when the files cannot be looked at because their file system hangs. Once, until they can be again. */
  readonly onHang: (error: unknown) => void;
}

/**
 * FileWatch notices changes of files by polling. inotify would follow the old file after it is replaced, or after a link
 * to its folder is turned, as Kubernetes does with mounted secrets.
 */
export class FileWatch implements Disposable {
  readonly #files: readonly string[];
  #state = '';
  #timer: NodeJS.Timeout | undefined;
  #isHanging = false;
  #isClosed = false;

  private constructor(files: readonly string[]) {
    this.#files = files;
  }

  /**
   * of returns a watch that notices changes from now on, once it is started.
   *
   * @throws Error if the file system hangs.
   */
  static async of(files: readonly string[]): Promise<FileWatch> {
    const watch = new FileWatch(files);
    watch.#state = await watch.#look();
    return watch;
  }

  /** start begins to call back. */
  start(options: FileWatchOptions): void {
    if (this.#files.length > 0) this.#checkLater(options);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #checkLater(options: FileWatchOptions): void {
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#check(options), options.pollMs).unref();
  }

  async #check(options: FileWatchOptions): Promise<void> {
    try {
      const state = await this.#look();
      this.#isHanging = false;
      const isChanged = state !== this.#state;
      this.#state = state;
      if (isChanged && !this.#isClosed) options.onChange();
    } catch (error) {
      if (!this.#isHanging) options.onHang(error);
      this.#isHanging = true;
    }
    this.#checkLater(options);
  }

  async #look(): Promise<string> {
    const files = this.#files;
    if (files.length === 0) return '';
    return FILE_TURNS.run(`looking at ${files.join(', ')}`, async () => {
      const states: string[] = [];
      // One after the other, so that they block one thread at most.
      for (const file of files) states.push(await stateOf(file));
      return states.join('\n');
    });
  }
}

async function stateOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mode } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs, mode].join(' ');
  } catch {
    return 'gone';
  }
}

/**
 * makeFolder creates a folder and its missing parents. It returns the topmost folder that it created, or null.
 *
 * It does not use `mkdirSync` with `recursive`, which never returns if the kernel refuses a folder with ENOENT, as in
 * /proc.
 *
 * @throws Error if the system refuses a folder.
 */
export function makeFolder(path: string, mode: number): string | null {
  const folder = resolve(path);
  const above = dirname(folder);
  const first = above === folder || existsSync(above) ? null : makeFolder(above, mode);
  try {
    mkdirSync(folder, { mode });
    return first ?? folder;
  } catch (error) {
    // It may exist, or another process may have created it.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return first;
    throw error;
  }
}
