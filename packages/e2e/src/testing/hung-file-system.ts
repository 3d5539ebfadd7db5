import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

/** HungFileSystem is a FUSE file system on a folder, whose server never replies. Every use of the folder waits. */
export class HungFileSystem implements Disposable {
  readonly #server: ChildProcess;
  readonly #folder: string;

  private constructor(server: ChildProcess, folder: string) {
    this.#server = server;
    this.#folder = folder;
  }

  /** Mounts it. Needs root and /dev/fuse. */
  static async mount(folder: string): Promise<HungFileSystem> {
    const mount = 'mount --internal-only -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 hung "$0"';
    const script = `exec 3<>/dev/fuse && ${mount} && echo mounted && exec sleep 600`;
    const server = spawn('sh', ['-c', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout, 'data');
    return new HungFileSystem(server, folder);
  }

  /** Returns the number of threads of a process that wait for a FUSE file system. */
  static waiters(pid: number): number {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const waits = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/wchan`, 'latin1'));
    return waits.filter((wait) => /^(fuse_|request_wait_answer)/.test(wait)).length;
  }

  /** Ends it: everything that waits for it fails, and the folder is as before. */
  [Symbol.dispose](): void {
    spawnSync('umount', ['--lazy', this.#folder]);
    this.#server.kill('SIGKILL');
  }
}
