import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { peerVersions } from '../peers/programs.js';

/** Machine is where and when a run was made. */
export interface Machine {
  /** In UTC, in ISO 8601. */
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMib: number;
  readonly kernel: string;
  readonly distribution: string;
  /** The commit of this repository, with `+` if files differ from it. Empty outside a repository. */
  readonly commit: string;
  /** The mean number of processes that wanted to run in the minute before the run. */
  readonly load: number;
  /** The versions of the programs. */
  readonly versions: Readonly<Record<string, string>>;
}

const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** describeMachine returns the machine, the date, and the versions of everything that is measured. */
export function describeMachine(): Machine {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryMib: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    distribution: /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    commit: commit(),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
    versions: {
      btfd: versionOf('../../package.json'),
      node: process.versions.node,
      'grpc-js': versionOf('@grpc/grpc-js/package.json'),
      ...peerVersions(),
    },
  };
}

function versionOf(path: string): string {
  const { version }: { readonly version: string } = require(path);
  return version;
}

function commit(): string {
  try {
    const args = ['describe', '--always', '--abbrev=12', '--exclude=*', '--dirty=+'];
    return execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
