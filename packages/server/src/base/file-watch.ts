import { statSync } from 'node:fs';

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
