import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TempDir } from './temp-dir.js';

/** FakeProc is a folder that shows processes as procfs does. */
export class FakeProc implements Disposable {
  readonly #dir = new TempDir();

  get path(): string {
    return this.#dir.path;
  }

  /**
   * add adds a process, and returns its folder. A number stands for a file descriptor of the BTF object with that id, and
   * a text for one of something else.
   */
  add(pid: number, command: string, ...fds: readonly (number | string)[]): string {
    const process = join(this.path, String(pid));
    mkdirSync(join(process, 'fd'), { recursive: true });
    mkdirSync(join(process, 'fdinfo'));
    writeFileSync(join(process, 'comm'), `${command}\n`);
    for (const [fd, target] of fds.entries()) {
      const isBtf = typeof target === 'number';
      symlinkSync(isBtf ? 'anon_inode:btf' : target, join(process, 'fd', String(fd)));
      const info = `pos:\t0\nflags:\t02000002\nmnt_id:\t16\nino:\t1043\n${isBtf ? `btf_id:\t${target}\n` : ''}`;
      writeFileSync(join(process, 'fdinfo', String(fd)), info);
    }
    return process;
  }

  [Symbol.dispose](): void {
    this.#dir[Symbol.dispose]();
  }
}
