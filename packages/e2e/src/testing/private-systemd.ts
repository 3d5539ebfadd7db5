import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

const SCRIPT = fileURLToPath(new URL('private-systemd.sh', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../../..', import.meta.url));
const SOCKET = '/run/btfd/btfd.sock';

/** PrivateSystemd is a real systemd, separate from that of the machine, with btfd installed from `deploy/systemd`. */
export class PrivateSystemd implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #pid: number;
  readonly #dir: string;

  private constructor(child: ChildProcess, pid: number, dir: string) {
    this.#child = child;
    this.#pid = pid;
    this.#dir = dir;
  }

  /** Boots it and waits until btfd's socket exists. Needs root. */
  static async boot(): Promise<PrivateSystemd> {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-systemd-'));
    const prefix = dirname(dirname(process.execPath));
    const output = { text: '' };
    const child = spawn('bash', [SCRIPT, REPOSITORY, prefix, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output.text += text));
    }
    let systemd: number | undefined;
    await until('systemd has booted', () => {
      if (child.exitCode !== null) throw new Error(`private-systemd.sh ended: ${output.text}`);
      systemd ??= descendants(child.pid ?? 0).find((pid) => commandOf(pid) === 'systemd');
      return systemd !== undefined && existsSync(`/proc/${systemd}/root${SOCKET}`);
    });
    return new PrivateSystemd(child, systemd ?? 0, dir);
  }

  /** The address at which this process reaches btfd's socket. */
  get address(): string {
    return `unix:/proc/${this.#pid}/root${SOCKET}`;
  }

  /** Runs a command in the namespaces of this systemd. Returns its exit status and its output. */
  run(...command: readonly string[]): { readonly code: number | null; readonly output: string } {
    const args = [
      '--target',
      String(this.#pid),
      '--mount',
      '--pid',
      '--cgroup',
      '--ipc',
      '--uts',
      '--',
      ...command,
    ];
    const { status, stdout, stderr } = spawnSync('nsenter', args, { encoding: 'utf8', timeout: 60_000 });
    return { code: status, output: stdout + stderr };
  }

  /** Returns a property of a unit. */
  property(name: string, unit = 'btfd.service'): string {
    return this.run('systemctl', 'show', '--property', name, '--value', unit).output.trim();
  }

  /** Returns the pid of a service in the namespace of this process. */
  mainPid(unit = 'btfd.service'): number {
    const inner = this.property('MainPID', unit);
    const found = descendants(this.#pid).find((pid) =>
      readUnlessGone(`/proc/${pid}/status`).includes(`\nNSpid:\t${pid}\t${inner}\n`),
    );
    if (found === undefined) throw new Error(`no process ${inner} in the namespace`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    process.kill(this.#pid, 'SIGKILL');
    await exited;
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function descendants(pid: number): number[] {
  const text = readUnlessGone(`/proc/${pid}/task/${pid}/children`);
  const children = text.split(' ').filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendants)];
}

function commandOf(pid: number): string {
  return readUnlessGone(`/proc/${pid}/comm`).trim();
}

function readUnlessGone(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
