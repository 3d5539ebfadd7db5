import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** TempDir is a folder that is removed when it is disposed of. */
export class TempDir implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'btfd-'));

  /** write writes a file, and returns its path. */
  write(name: string, content: Uint8Array | string): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
