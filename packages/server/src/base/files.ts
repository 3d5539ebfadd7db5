import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * FileWatch notices changes of files by polling. inotify would follow the old file after it is replaced, or after a link
 * to its folder is turned, as Kubernetes does with mounted secrets.
 */
export class FileWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #state: string;
  readonly #files: readonly string[];
  readonly #onChange: () => void;

  constructor(files: readonly string[], pollMs: number, onChange: () => void) {
    this.#files = files;
    this.#onChange = onChange;
    this.#state = this.#look();
    this.#timer = setInterval(() => this.#check(), pollMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const state = this.#look();
    if (state === this.#state) return;
    this.#state = state;
    this.#onChange();
  }

  #look(): string {
    return this.#files.map(stateOf).join('\n');
  }
}

function stateOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mode } = statSync(file, { bigint: true });
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
