import { statSync } from 'node:fs';

/**
 * FileWatch notices that files change, by looking: a watch of the system's own would follow the file that is replaced,
 * or the link that is turned to another folder, as Kubernetes does with mounted secrets.
 */
export class FileWatch implements Disposable {
  private readonly timer: NodeJS.Timeout;
  private state: string;

  constructor(
    private readonly files: readonly string[],
    pollMs: number,
    private readonly onChange: () => void,
  ) {
    this.state = this.look();
    this.timer = setInterval(() => this.check(), pollMs);
    this.timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }

  private check(): void {
    const state = this.look();
    if (state === this.state) return;
    this.state = state;
    this.onChange();
  }

  private look(): string {
    return this.files.map(stateOf).join('\n');
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
